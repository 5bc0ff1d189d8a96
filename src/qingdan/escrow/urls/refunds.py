"""Doors of prepaid tuition: refunds, what is coming, and closing."""

from __future__ import annotations

from django.urls import path

from qingdan.escrow.views import money, refunds

urlpatterns = [
    path("refunds/", refunds.refunds, name="refunds"),
    path("contracts/<int:pk>/refund/", refunds.refund_apply, name="refund_apply"),
    path("refunds/<int:pk>/", refunds.refund, name="refund"),
    path("refunds/<int:pk>/withdraw/", refunds.refund_withdraw, name="refund_withdraw"),
    path("refunds/<int:pk>/answer/", refunds.refund_answer, name="refund_answer"),
    path("refunds/<int:pk>/decide/", refunds.refund_decide, name="refund_decide"),
    path("refunds/<int:pk>/told/", refunds.refund_tell, name="refund_tell"),
    path("refunds/<int:pk>/received/", refunds.refund_receive, name="refund_receive"),
    path("refunds/<int:pk>/pay/", refunds.refund_pay, name="refund_pay"),
    path("refunds/<int:pk>/reserve/", refunds.refund_draw, name="refund_draw"),
    path("coming/", money.coming, name="coming"),
    path("closing/<int:pk>/", money.closing, name="closing"),
]
