"""What a tier would mean for a partner: what it brings, which the partner may read, and what it costs us, which not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tierwise.config.benefits import IncentiveSettings, ServiceLevel, TierBenefits
from tierwise.explain.figures import figure, in_sentence
from tierwise.explain.wording import Wording


@dataclass(frozen=True)
class _IncentiveText:
    """An incentive in words, but for what it pays at a partner's figures.

    Attributes:
        settings: The incentive.
        currency: The program currency.
        rate: The rate and what it is paid on, if there is one.
        terms: What holds for everyone: a fixed amount, the most that is paid.
    """

    settings: IncentiveSettings
    currency: str
    rate: tuple[str, ...]
    terms: tuple[str, ...]

    @classmethod
    def of(cls, incentive: IncentiveSettings, wording: Wording, currency: str) -> _IncentiveText:
        on = f" of {wording.title(incentive.on)}" if incentive.on else ""
        rate = (f"{figure(float(incentive.rate), 'share')}{on}",) if incentive.rate is not None else ()
        terms = []
        if incentive.amount is not None:
            terms.append(f"{figure(float(incentive.amount), currency)} a year")
        if incentive.cap is not None:
            terms.append(f"at most {figure(float(incentive.cap), currency)} a year")
        return cls(incentive, currency, rate, tuple(terms))

    def at(self, values: Mapping[str, float]) -> str:
        """The incentive with what it pays at a partner's figures, where they tell."""
        parts = ", ".join((*self.rate, *self._paid(values), *self.terms))
        return f"{self.settings.name} ({parts})" if parts else self.settings.name

    def _paid(self, values: Mapping[str, float]) -> tuple[str, ...]:
        rate, cap = self.settings.rate, self.settings.cap
        base = values.get(self.settings.on or "", float("nan"))
        if rate is None or not base > 0:
            return ()
        paid = min(float(rate) * base, float(cap) if cap is not None else float("inf"))
        return (f"{figure(paid, self.currency)} at today's figures",)


@dataclass(frozen=True)
class GainsText:
    """What a tier brings beyond the tier held now: supports, incentives, service; the same for many partners."""

    supports: tuple[str, ...]
    incentives: tuple[_IncentiveText, ...]
    service: tuple[str, ...]

    @classmethod
    def of(cls, tier: TierBenefits, now: TierBenefits | None, wording: Wording, currency: str) -> GainsText:
        """Word all that does not depend on a partner's figures.

        Args:
            tier: The tier's benefits.
            now: Those of the tier held now, if any.
            wording: Titles and units of figures.
            currency: The program currency.
        """
        held = now.supports if now is not None else ()
        new = [support for support in tier.supports if support not in held]
        service = _service_text(tier.sla, now.sla if now is not None else None)
        return cls(
            (f"Supports: {', '.join(new)}.",) if new else (),
            tuple(_IncentiveText.of(incentive, wording, currency) for incentive in tier.incentives),
            (service,) if service else (),
        )

    def at(self, values: Mapping[str, float]) -> str:
        """Say it with what incentives pay at a partner's figures: metrics by name."""
        paid = "; ".join(incentive.at(values) for incentive in self.incentives)
        return " ".join((*self.supports, *((f"Incentives: {paid}.",) if paid else ()), *self.service))


def costs_text(tier: TierBenefits, currency: str) -> str:
    """Say what a partner in a tier costs us a year and needs of scarce resources."""
    parts = [f"Costs us {figure(float(tier.unit_cost), currency)} a year without incentives."] if tier.unit_cost else []
    needs = [f"{figure(float(amount))} {name.replace('_', ' ')}" for name, amount in tier.capacity.items() if amount]
    parts += [f"Needs {', '.join(needs)}."] if needs else []
    return " ".join(parts)


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
