"""Other people's job queues, each as the program that `bench/versus/peer.py` describes."""
