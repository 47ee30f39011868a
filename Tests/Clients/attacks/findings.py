"""What went wrong, and how much was tried: a suite that tried nothing has not passed."""


class Findings:
    def __init__(self):
        self.failures, self.tried = [], {}

    def check(self, attack, holds, what):
        """Counts one attempt of `attack`; `what` says what was seen when it does not hold."""
        self.tried[attack] = self.tried.get(attack, 0) + 1
        if not holds:
            self.failures.append(f"{attack}: {what() if callable(what) else what}")
        return holds

    def report(self, least):
        """Prints a line for each attack. True when all held and each was tried at least `least[attack]` times."""
        for attack, wanted in least.items():
            if self.tried.get(attack, 0) < wanted:
                self.failures.append(f"{attack}: only {self.tried.get(attack, 0)} of at least {wanted} attempts")
        for attack, count in sorted(self.tried.items()):
            print(f"{attack}: {count} attempts")
        for failure in self.failures[:200]:
            print(f"FAILED {failure}")
        print(f"{sum(self.tried.values())} attempts, {len(self.failures)} failures")
        return not self.failures
