"""The results of train and tune: what they hold, how they are read and which is the best."""
