"""How well the data is protected, concluded from evidence, never stored.

    evidence.py  what is known at one moment
    loss.py      what would be lost if this computer died now               (pure)
    marks.py     four marks: recent, elsewhere, restorable, watched         (pure)
    sentence.py  the level, the sentence on the card, its code, the next step (pure)

`sentence.conclude` decides. The first that fits wins:

    1. backups are off                     5. the first two missing marks
    2. no backup could be made now         6. what else needs attention
    3. no verified backup                  7. protected
    4. the last two runs failed
"""
