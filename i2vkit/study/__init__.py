"""User studies: people compare and rate generated videos in a browser, and statistics of their answers.

``creation`` makes the folder of a study, ``raters`` hands out questions and takes answers, ``server`` shows the pages,
and ``report`` counts.
"""
