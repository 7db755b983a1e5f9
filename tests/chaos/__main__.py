"""`make chaos`: many rounds of kills, with and without faults; prints a table and fails where anything is lost."""

import argparse

from tests.chaos.rounds import play


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--kills", type=int, default=8, help="SIGKILLs in a round")
    parser.add_argument("--seed", type=int, default=1000)
    options = parser.parse_args()
    totals = [0, 0, 0]
    print("round  faults  kills  lost  doubled  status", flush=True)
    for number in range(options.rounds):
        result = play(options.seed + number, options.kills, faults=number % 2 == 1)
        totals = [a + b for a, b in zip(totals, (result.kills, result.lost, result.doubled), strict=True)]
        faults = "yes" if number % 2 else "no"
        print(
            f"{number:5}  {faults:6}  {result.kills:5}  {result.lost:4}  {result.doubled:7}  {result.status}",
            flush=True,
        )
    print(f"total          {totals[0]:5}  {totals[1]:4}  {totals[2]:7}")
    raise SystemExit(1 if totals[1] or totals[2] else 0)


if __name__ == "__main__":
    main()
