"""Adds one account of a real installation."""

from __future__ import annotations

import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from qingdan.accounts.actions import DEPARTMENTS_TEXT, add_account, needs_department
from qingdan.accounts.enums import KIND_OF_ROLE, CompetentDepartment, OrganisationKind, Role
from qingdan.accounts.models import Organisation


class Command(BaseCommand):
    """Add a user to an organisation.

    1. Read the password from the terminal (or, without one, a line of standard input), never from the arguments,
       which every user of the machine could read.
    2. Add the organisation when it is new, then the user.
    """

    help = "为单位添加账户；单位不存在时一并建立。密码从终端输入"

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, and for whom."""
        parser.add_argument("username", help="用户名")
        parser.add_argument("--name", required=True, help="姓名")
        parser.add_argument("--organisation", required=True, help="单位名称")
        parser.add_argument("--kind", choices=OrganisationKind.values, default="", help="新单位的性质，默认随身份，没写身份就是学校")
        parser.add_argument("--layer", default="cn", help="新单位适用政策的层")
        parser.add_argument("--region", default="", help="新单位的行政区划代码（GB/T 2260，六位）")
        parser.add_argument("--role", choices=[role.value for role in Role if role != Role.PARENT], default="", help="身份，默认随单位性质")

        parser.add_argument(
            "--department",
            choices=[each.value for each in CompetentDepartment],
            default="",
            help="新单位是哪个部门；主管部门人员必填",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the procedure."""
        department = self._department(options)
        password = getpass.getpass("密码：") if self.stdin_is_terminal() else input()
        try:
            validate_password(password)
            user = add_account(
                username=options["username"],
                display_name=options["name"],
                password=password,
                organisation=options["organisation"],
                kind=options["kind"] or KIND_OF_ROLE.get(options["role"], OrganisationKind.SCHOOL),
                layer_code=options["layer"],
                region_code=options["region"],
                role=options["role"],
                department=department,
            )
        except ValidationError as error:
            raise CommandError("；".join(error.messages)) from None
        self.stdout.write(f"已添加：{user.username}（{user.organisation}）")

    def _department(self, options: dict[str, Any]) -> str:
        """Which department a new office is; asked at a terminal where the role needs one."""
        department: str = options["department"]
        is_new = not Organisation.objects.filter(name=options["organisation"]).exists()
        if department or not (is_new and needs_department(options["role"]) and self.stdin_is_terminal()):
            return department
        department = input(f"哪个部门，{DEPARTMENTS_TEXT}：").strip()
        if department not in CompetentDepartment.values:
            raise CommandError(f"没有部门“{department}”；可以写：{DEPARTMENTS_TEXT}")
        return department

    def stdin_is_terminal(self) -> bool:
        """Whether someone sits at a terminal."""
        import sys

        return sys.stdin.isatty()
