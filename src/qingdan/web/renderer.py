"""How forms look."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class Bootstrap(TemplatesSetting):
    """Django's forms with a field template of the house."""

    field_template_name = "web/includes/field.html"
    form_template_name = "web/includes/form.html"
