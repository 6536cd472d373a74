package telemetry

import "fmt"

// Reason is the reason of an [Error]. The set is closed.
type Reason string

const (
	// ReasonConfig: a field of Config is invalid.
	ReasonConfig Reason = "Config"
	// ReasonInstrument: the MeterProvider refused an instrument.
	ReasonInstrument Reason = "Instrument"
)

// Error is the error type of this package. Rule is the field of Config.
type Error struct {
	Reason    Reason
	Rule      string
	Want, Got string
	Err       error
}

// Error returns the message. Values are quoted and cut short.
func (e *Error) Error() string {
	text := "telemetry: " + string(e.Reason) + ": " + e.Rule
	if e.Want != "" {
		text += fmt.Sprintf(": want %s, got %.200q", e.Want, e.Got)
	}
	if e.Err != nil {
		text += fmt.Sprintf(": %.300s", e.Err)
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func badConfig(field, want, got string) error {
	return &Error{Reason: ReasonConfig, Rule: field, Want: want, Got: got}
}
