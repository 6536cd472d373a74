package scim

import "github.com/meridian-saml/meridian/portal/center"

// state is the instance in the middle of an update, with what the batch has
// changed so far.
type state struct {
	*index
	tx *center.Tx
}

// check asks the instance's own rules about one user or group, so that a bad one
// is refused before it joins an update, and no rule stands here a second time.
func check(d center.Data) *Error {
	d.Regions = []center.Region{{Name: "us-east-1"}}
	if _, err := center.New(d); err != nil {
		return fromCenter(err)
	}
	return nil
}
