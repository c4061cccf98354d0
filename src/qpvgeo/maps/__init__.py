"""Maps that people print: one function a question, axes in and axes out.

Every map is in the legal projection of its territory and carries a title, a scale, a legend, its source line and, on
the sample, the word that it is fictional. Nothing global of matplotlib is changed.

Legends stand to the right of their axes, and the frames of `france` on both sides: axes of your own need a layout that
leaves them room, `plt.subplots(1, 2, layout="constrained")`. Names are placed when a figure is drawn.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
