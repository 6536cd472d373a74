package failover

import "strconv"

// A Control is the routing control of a Region: who decides whether browsers
// are sent there.
type Control int

// The controls.
const (
	// Auto: the probes decide.
	Auto Control = iota
	// On: the Region is used whatever the probes say. It keeps its place in
	// the order.
	On
	// Off: the Region is drained. It is not used, not even as a last resort.
	Off
)

func (c Control) known() bool { return c == Auto || c == On || c == Off }

// String returns "Auto", "On" or "Off".
func (c Control) String() string {
	switch c {
	case Auto:
		return "Auto"
	case On:
		return "On"
	case Off:
		return "Off"
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

// UnmarshalText implements encoding.TextUnmarshaler: exactly what String
// returns, for flags, forms and files.
func (c *Control) UnmarshalText(text []byte) error {
	for _, known := range []Control{Auto, On, Off} {
		if string(text) == known.String() {
			*c = known
			return nil
		}
	}
	return badConfig("Control", "Auto, On or Off", string(text))
}
