package keys

import (
	"slices"
	"strings"
)

// An Action is an operation of a key that its policy allows.
type Action string

// The actions, with the names that AWS gives them.
const (
	ActionEncrypt     Action = "kms:Encrypt"
	ActionDecrypt     Action = "kms:Decrypt"
	ActionGenerateMAC Action = "kms:GenerateMac"
	ActionVerifyMAC   Action = "kms:VerifyMac"
)

// A Policy lists who may use a key in one Region. What it doesn't allow is refused, so the zero value allows nothing.
// Administration of a Ring is not subject to it: the process that has opened the file may do everything.
type Policy struct {
	Statements []Statement `json:"statements"`
}

// A Statement allows principals to do actions. Both lists are exact: there are no patterns.
type Statement struct {
	Principals []string `json:"principals"`
	Actions    []Action `json:"actions"`
}

// Allow returns a policy that allows principals to encrypt and decrypt. It is the policy that an instance needs.
func Allow(principals ...string) Policy {
	return Policy{Statements: []Statement{{
		Principals: slices.Clone(principals), Actions: []Action{ActionEncrypt, ActionDecrypt},
	}}}
}

// Allows reports whether the policy allows a principal an action.
func (p Policy) Allows(principal string, a Action) bool {
	return slices.ContainsFunc(p.Statements, func(s Statement) bool {
		return slices.Contains(s.Principals, principal) && slices.Contains(s.Actions, a)
	})
}

func (p Policy) clone() Policy {
	out := Policy{Statements: slices.Clone(p.Statements)}
	for i, s := range out.Statements {
		out.Statements[i] = Statement{slices.Clone(s.Principals), slices.Clone(s.Actions)}
	}
	return out
}

// Limits of a policy.
const (
	maxStatements = 64
	maxListed     = 256
	maxPrincipal  = 256
)

// check refuses a policy that allows less than it seems to: an unknown action, or an empty list.
func (p Policy) check() error {
	known := []Action{ActionEncrypt, ActionDecrypt, ActionGenerateMAC, ActionVerifyMAC}
	if len(p.Statements) > maxStatements {
		return newError(ReasonConfig, "policy", "at most 64 statements", "more")
	}
	for _, s := range p.Statements {
		if n := min(len(s.Principals), len(s.Actions)); n == 0 {
			return newError(ReasonConfig, "statement of a policy", "principals and actions", "none")
		}
		if max(len(s.Principals), len(s.Actions)) > maxListed {
			return newError(ReasonConfig, "statement of a policy", "at most 256 principals and actions", "more")
		}
		for _, principal := range s.Principals {
			if principal == "" || len(principal) > maxPrincipal || strings.ContainsAny(principal, "*?") {
				return newError(ReasonConfig, "principal of a policy", "a name of 1 to 256 bytes without * and ?",
					principal)
			}
		}
		for _, a := range s.Actions {
			if !slices.Contains(known, a) {
				return newError(ReasonConfig, "action of a policy", "one of those of package keys", string(a))
			}
		}
	}
	return nil
}
