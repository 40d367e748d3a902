"""Synthetic partner channels with known truth: pure tables from settings and a seed; `jobs.init` writes them."""

from tierwise.synthetic.channel import Channel, generate, generate_chunks
from tierwise.synthetic.settings import CHUNK_PARTNERS, DEMAND_SHOCK, ChannelSettings, Shock

__all__ = ["CHUNK_PARTNERS", "DEMAND_SHOCK", "Channel", "ChannelSettings", "Shock", "generate", "generate_chunks"]
