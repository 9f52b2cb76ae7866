"""Operations on devices from both ends: what is asked of one, and what its answer means for all rooms below."""
