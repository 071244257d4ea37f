"""A MongoDB server that cannot be reached, or refuses."""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError


class DatabaseUnreachable(TempleOpsError):
    """Facts: `side`."""

    code, status = "database_unreachable", 503
    sentence = "The {side} MongoDB cannot be reached. Check that it runs and that its URL is right."


class DatabaseNotFound(TempleOpsError):
    """Facts: `database`."""

    code = "database_not_found"
    sentence = (
        'The local MongoDB has no database "{database}" with a collection in it. Nothing was written. '
        "Check DATABASE_NAME, capital letters included."
    )
    hint = "Set DATABASE_NAME to the temple's database"


class DatabaseSpelledOtherwise(DatabaseNotFound):
    """Facts: `database`, `side`, `there`: MongoDB takes no two databases whose names differ in capital letters only."""

    sentence = (
        'The {side} MongoDB has no database "{database}", but one spelled "{there}", and MongoDB allows only one of '
        "the two. Nothing was carried over. Check DATABASE_NAME, capital letters included."
    )
    hint = "Give both databases the same name, capital letters included, and set DATABASE_NAME to it"


class MongoUrlInvalid(DatabaseUnreachable):
    """Facts: `side`, `variable`, `reason`."""

    code = "mongodb_url_invalid"
    sentence = "{variable} is not a usable MongoDB URL: {reason}. Nothing was changed. Correct it in .env."
    hint = "mongodb://user:password@host:27017/ or mongodb+srv://…; percent-encode odd characters in the password"


class MongoUrlBroken(MongoUrlInvalid):
    """Facts: `side`, `variable`. A URL copied with what stood beside it, most often the end of its line."""

    code = "mongodb_url_whitespace"
    sentence = "{variable} holds a space or a line break, perhaps at its end. Nothing was changed. Correct it in .env."
    hint = "Write the URL on one line, without spaces, tabs or line breaks before, in or after it"


class DatabaseHostUnknown(DatabaseUnreachable):
    """Facts: `side`, `variable`."""

    code = "database_host_unknown"
    sentence = "The host of the {side} MongoDB is not known: no name server (DNS) finds the name in {variable}."
    hint = "Check the spelling of the host in {variable}, and this computer's internet connection and DNS"


class DatabaseTlsFailed(DatabaseUnreachable):
    """Facts: `side`, `variable`, `reason`."""

    code = "database_tls_failed"
    sentence = "No encrypted connection (TLS) to the {side} MongoDB can be made: {reason}."
    hint = "Check tls=… and tlsCAFile=… in {variable}, the certificate of the server, and this computer's clock"


class DatabaseHangsUp(DatabaseUnreachable):
    """Facts: `side`, `variable`."""

    code = "database_hangs_up"
    sentence = (
        "The {side} MongoDB takes the connection and closes it at once. It may demand an encrypted one (TLS), or "
        "something else listens there."
    )
    hint = "If that server demands TLS, add tls=true to {variable}"


class ReplicaSetUnknown(DatabaseUnreachable):
    """Facts: `side`, `variable`."""

    code = "replica_set_unknown"
    sentence = "The {side} MongoDB answers, but it is not a member of the replica set that {variable} names."
    hint = "Correct replicaSet=… in {variable}: rs.status().set on that server shows the name"


class DatabaseHasNoPrimary(DatabaseUnreachable):
    """Facts: `side`."""

    code = "database_no_primary"
    sentence = (
        "The {side} MongoDB answers, but its replica set has no primary now, so nothing can be read reliably or "
        "written."
    )
    hint = "Look at rs.status() on that server; after a restart it takes some seconds"


class DatabaseVersionUnknown(DatabaseUnreachable):
    """Facts: `side`."""

    code = "database_version"
    sentence = "The {side} MongoDB has a version that this program does not support."
    hint = "MongoDB 4.4 or later is needed"


class DatabaseLoginRefused(DatabaseUnreachable):
    """Facts: `side`, `variable`."""

    code = "database_login_refused"
    sentence = "The {side} MongoDB refuses the login: wrong user name or password in {variable}."
    hint = "Correct user, password and authSource in {variable}; percent-encode odd characters in the password"


class DatabaseLoginMissing(DatabaseUnreachable):
    """Facts: `side`, `variable`."""

    code = "database_login_missing"
    sentence = "The {side} MongoDB demands a login, and {variable} names no user."
    hint = "mongodb://user:password@host:27017/ in {variable}"


class DatabaseRefused(TempleOpsError):
    """Facts: `side`, `reason`. The server is reached, and does not do what it was asked for."""

    code, status = "database_refused", 503
    sentence = "The {side} MongoDB answers and refuses: {reason}."


class ShardedNotSupported(DatabaseRefused):
    """Facts: `side`, `variable`."""

    code = "sharded_not_supported"
    sentence = (
        "The {side} MongoDB is a sharded cluster (mongos), which is not supported. Nothing was written. The data is as "
        "it was."
    )
    hint = "Name a replica set or a single server in {variable}, not mongos"


class RightMissing(DatabaseRefused):
    """Facts: `side`, `variable`, `what`, `database`."""

    code = "database_right_missing"
    sentence = (
        "The {side} MongoDB answers and refuses: the user in {variable} has no right to {what} in the database "
        '"{database}".'
    )
    hint = (
        'db.getSiblingDB("admin").grantRolesToUser("<user>", [{role: "readWrite", db: "{database}"}]); on Atlas: '
        "Database Access, Edit, Specific Privileges, readWrite on {database}"
    )


class DatabaseOverQuota(DatabaseRefused):
    """Facts: `side`."""

    code = "database_over_quota"
    sentence = "The {side} MongoDB answers and takes no more data: its storage is full, or its quota is used up."
    hint = "Free space there, or choose a larger cluster"
