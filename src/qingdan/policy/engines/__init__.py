"""The engines that run the compiled SELECT. All must give the same findings on the same facts."""
