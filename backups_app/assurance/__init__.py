"""How well the data is protected, concluded from evidence, never stored.

    evidence.py  what is known at one moment
    loss.py      what would be lost if this computer died now               (pure)
    marks.py     four marks: recent, elsewhere, restorable, watched         (pure)
    sentence.py  the sentence on the card, its code, the next step          (pure)

Source of the rules: section 11 of the decisions. The first that fits wins:

    1. backups are off                     4. the first two missing marks
    2. no backup could be made now         5. what else needs attention
    3. no verified backup                  6. protected
"""
