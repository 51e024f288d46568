"""License rules: one file each, see docs/add-a-rule.md. In: a topic, a use, one grant, a day. Out: a Decision."""
