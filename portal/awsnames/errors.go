package awsnames

import "fmt"

// A Reason says why a name was refused. The list is closed; compare with it,
// never with a message.
type Reason string

// The reasons.
const (
	// ReasonInvalid: a name has another form than AWS's, or is missing.
	ReasonInvalid Reason = "Invalid"
	// ReasonPartition: the Region is of another partition than the commercial one.
	ReasonPartition Reason = "Partition"
)

// An Error is the one type of error that this package returns.
type Error struct {
	Reason Reason
	// Rule is the name that was checked, such as Instance.Alias.
	Rule string
	// Want says what was expected, Got is the value.
	Want, Got string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("awsnames: %s: %s: want %s, got %.100q", e.Reason, e.Rule, e.Want, e.Got)
}

func invalid(rule, want, got string) error {
	return &Error{Reason: ReasonInvalid, Rule: rule, Want: want, Got: got}
}

func otherPartition(rule, got string) error {
	return &Error{Reason: ReasonPartition, Rule: rule, Want: "a Region of AWS's commercial partition", Got: got}
}
