"""The judging core: matching, differences, consensus, measures, plans, intervals.

Pure Python and numpy: no Django, no clock, no global random. Seeds and mask parts are given by the caller.
"""
