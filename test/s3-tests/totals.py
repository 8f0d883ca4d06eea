"""Prints the totals by group and the failures, from the lines that plugin.py wrote."""
import json
import sys

from groups import ROWS

lines = [json.loads(line) for line in open(sys.argv[1])]
ran = [line for line in lines if "outcome" in line]


def count(some, outcome):
    return sum(1 for line in some if line["outcome"] == outcome)


print(f"{'group':<32}{'tests':>6}{'pass':>6}{'fail':>6}{'skip':>6}   marked fails_on_aws: tests, pass")
for group, excluded in {group: excluded for group, _, excluded in ROWS}.items():
    some = [line for line in ran if line["group"] == group]
    if not some:
        continue
    rgw = [line for line in some if line["fails_on_aws"]]
    print(
        f"{group:<32}{len(some):>6}{count(some, 'passed'):>6}{count(some, 'failed'):>6}{count(some, 'skipped'):>6}"
        f"{len(rgw):>10}{count(rgw, 'passed'):>6}" + (f"   ({excluded})" if excluded else "")
    )
aws = [line for line in ran if not line["fails_on_aws"] and not line["excluded"]]
print(f"{'all that ran':<32}{len(ran):>6}{count(ran, 'passed'):>6}{count(ran, 'failed'):>6}{count(ran, 'skipped'):>6}")
print(f"{'of these, AWS has and we mean':<32}{len(aws):>6}{count(aws, 'passed'):>6}{count(aws, 'failed'):>6}{count(aws, 'skipped'):>6}")
left = {}
for line in lines:
    if "outcome" not in line:
        left.setdefault((line["group"], line["excluded"]), []).append(line["test"])
for (group, reason), tests in left.items():
    print(f"not run: {len(tests):>4}  {group}: {reason}")
failed = [line for line in ran if line["outcome"] == "failed"]
if failed:
    print("\nfailed")
for line in sorted(failed, key=lambda line: line["group"]):
    marks = "".join(f" [{name}]" for name in ("fails_on_aws", "fails_on_rgw") if line[name])
    print(f"  {line['group']}: {line['test']}{marks}: {line['why']}")
