"""What a tier would mean for a partner: what it brings, which the partner may read, and what it costs us, which not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tierwise.config.benefits import IncentiveSettings, ServiceLevel, TierBenefits
from tierwise.explain.figures import figure, in_sentence
from tierwise.explain.wording import Wording


def gains_text(
    tier: TierBenefits, now: TierBenefits | None, values: Mapping[str, float], wording: Wording, currency: str
) -> str:
    """Say what a tier brings beyond the tier held now: supports, incentives at today's figures, service, expectations.

    Args:
        tier: The tier's benefits.
        now: Those of the tier held now, if any.
        values: The partner's metrics, for incentives that are paid on one.
        wording: Titles and units of figures.
        currency: The program currency.
    """
    held = now.supports if now is not None else ()
    new = [support for support in tier.supports if support not in held]
    parts = [f"Supports: {', '.join(new)}."] if new else []
    paid = [_incentive_text(incentive, values, wording, currency) for incentive in tier.incentives]
    parts += [f"Incentives: {'; '.join(paid)}."] if paid else []
    parts += [text for text in (_service_text(tier.sla, now.sla if now is not None else None),) if text]
    return " ".join(parts)


def costs_text(tier: TierBenefits, currency: str) -> str:
    """Say what a partner in a tier costs us a year and needs of scarce resources."""
    parts = [f"Costs us {figure(float(tier.unit_cost), currency)} a year without incentives."] if tier.unit_cost else []
    needs = [f"{figure(float(amount))} {name.replace('_', ' ')}" for name, amount in tier.capacity.items() if amount]
    parts += [f"Needs {', '.join(needs)}."] if needs else []
    return " ".join(parts)


def _incentive_text(incentive: IncentiveSettings, values: Mapping[str, float], wording: Wording, currency: str) -> str:
    parts = []
    if incentive.rate is not None:
        on = f" of {wording.title(incentive.on)}" if incentive.on else ""
        parts.append(f"{figure(float(incentive.rate), 'share')}{on}")
        base = values.get(incentive.on or "", float("nan"))
        if base > 0:
            paid = min(
                float(incentive.rate) * base, float(incentive.cap) if incentive.cap is not None else float("inf")
            )
            parts.append(f"{figure(paid, currency)} at today's figures")
    if incentive.amount is not None:
        parts.append(f"{figure(float(incentive.amount), currency)} a year")
    if incentive.cap is not None:
        parts.append(f"at most {figure(float(incentive.cap), currency)} a year")
    return f"{incentive.name} ({', '.join(parts)})" if parts else incentive.name


def _service_text(sla: ServiceLevel, now: ServiceLevel | None) -> str:
    hours = (("first response", "first_response_hours"), ("resolution", "resolution_hours"))
    parts = list(_service_parts(sla, now, hours))
    return f"Service: {', '.join(parts)}." if parts else ""


def _service_parts(sla: ServiceLevel, now: ServiceLevel | None, hours: Iterable[tuple[str, str]]) -> Iterable[str]:
    for name, field in hours:
        value, before = getattr(sla, field), getattr(now, field, None)
        if value is not None:
            held = f" (now {figure(before)})" if before is not None and before != value else ""
            yield in_sentence(f"{name} within {figure(value)} working hours{held}")
