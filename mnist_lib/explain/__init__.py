"""Why a network answers as it does: occlusion, feature maps, changed images, neighbours.

Imports ``runs`` and what lies below it.
"""
