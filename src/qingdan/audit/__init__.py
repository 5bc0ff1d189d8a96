"""From files to cited findings: what ``qingdan audit`` and the upload page both call."""

from qingdan.audit.model import Audit, NotJudged, Summary
from qingdan.audit.running import judge_reading, run_audit
from qingdan.audit.writing import audit_as_dict, finding_as_dict, write_csv, write_json
from qingdan.audit.xlsx import write_xlsx
from qingdan.workbooks import InputError

__all__ = [
    "Audit",
    "InputError",
    "NotJudged",
    "Summary",
    "audit_as_dict",
    "finding_as_dict",
    "judge_reading",
    "run_audit",
    "write_csv",
    "write_json",
    "write_xlsx",
]
