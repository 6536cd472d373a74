package failover

import (
	"slices"
	"strconv"
)

// Control is the routing control of a Region. Either the probes or the operator decide whether the Region is used.
type Control int

// The controls.
const (
	// Auto: the probes decide.
	Auto Control = iota
	// On: the Region is used whatever the result of the probes. It keeps its place in the order.
	On
	// Off: the Region is drained. It is not used, not even as a last resort.
	Off
)

var controls = [...]string{Auto: "Auto", On: "On", Off: "Off"}

func (c Control) known() bool { return 0 <= c && int(c) < len(controls) }

// String returns "Auto", "On" or "Off".
func (c Control) String() string {
	if c.known() {
		return controls[c]
	}
	return "Control(" + strconv.Itoa(int(c)) + ")"
}

// MarshalText implements encoding.TextMarshaler.
func (c Control) MarshalText() ([]byte, error) {
	if !c.known() {
		return nil, badConfig("Control", "Auto, On or Off", c.String())
	}
	return []byte(c.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. It accepts exactly the results of String.
func (c *Control) UnmarshalText(text []byte) error {
	i := slices.Index(controls[:], string(text))
	if i < 0 {
		return badConfig("Control", "Auto, On or Off", string(text))
	}
	*c = Control(i)
	return nil
}
