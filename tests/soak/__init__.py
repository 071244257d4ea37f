"""Hours of schedules with writers, conflicts, kills and cuts: is anything lost, does memory or do open files grow?"""
