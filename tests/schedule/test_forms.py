"""What a person chooses and the cron expression that it is."""

from __future__ import annotations

import pytest

from backups_app.errors import ScheduleTimeInvalid
from backups_app.schedule import forms
from backups_app.schedule.forms import Every, Form


@pytest.mark.parametrize(
    ("form", "cron"),
    [
        (Form(every=Every.DAY, time="02:00"), "0 2 * * *"),
        (Form(every=Every.WEEK, time="2:30", weekday=0), "30 2 * * 0"),
        (Form(every=Every.MONTH, time="23:59", day="31"), "59 23 31 * *"),
        (Form(every=Every.MONTH, time="00:05", day="L"), "5 0 L * *"),
        (Form(every=Every.CUSTOM, cron=" */15  * * * * "), "*/15 * * * *"),
    ],
)
def test_a_form_is_a_cron_expression_and_back(form: Form, cron: str) -> None:
    assert forms.cron_of(form) == cron

    again = forms.form_of(cron)
    assert again.every is form.every
    assert forms.cron_of(again) == cron


@pytest.mark.parametrize(
    "cron", ["*/15 * * * *", "0 2 1 * 0", "0 2 * 3 *", "0 2,14 * * *", "0 2 * * 1-5", "75 2 * * *"]
)
def test_what_no_simple_form_makes_is_a_custom_one(cron: str) -> None:
    assert forms.form_of(cron) == Form(every=Every.CUSTOM, cron=cron)


@pytest.mark.parametrize(
    "form",
    [Form(time="24:00"), Form(time=""), Form(time="2"), Form(time="02:0x"), Form(every=Every.WEEK, weekday=7),
     Form(every=Every.MONTH, day="0"), Form(every=Every.MONTH, day="32"), Form(every=Every.MONTH, day="²")],
)  # fmt: skip
def test_a_time_or_day_that_does_not_exist_is_refused(form: Form) -> None:
    with pytest.raises(ScheduleTimeInvalid):
        forms.cron_of(form)
