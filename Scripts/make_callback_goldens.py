#!/usr/bin/env python3
"""Makes Tests/VidTrainTests/Goldens/callbacks.json: what Keras's callbacks and schedules do (Scripts/goldens/callback_goldens.py)."""

from goldens import environment

if __name__ == "__main__":
    environment.enter()
    from goldens import callback_goldens

    callback_goldens.write()
