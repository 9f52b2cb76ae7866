"""The page on which staff manage one device: its object tree, its commands, its values and its messages.

`facts` reads, `tree`, `node`, `queue`, `presence`, `chart` and `messages` tell it in words, `parts` draws, `page` and
`consumers` are the two doors: both draw the same fragments.
"""
