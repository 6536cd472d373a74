package center

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Policies are the policies of a permission set. Package center keeps them and does not evaluate them.
type Policies struct {
	Inline string `json:"inlinePolicy,omitempty"` // a JSON object of at most 32,768 characters; empty: none
	// Managed are the ARNs of managed policies, at most 20, without duplicates.
	Managed []string `json:"managedPolicies,omitempty"`
	// CustomerManaged are policies of the accounts, at most 20, without duplicates.
	CustomerManaged []PolicyReference `json:"customerManagedPolicies,omitempty"`
	Boundary        Boundary          `json:"permissionsBoundary,omitzero"` // zero: none
}

// PolicyReference names a policy that each account has under that name.
type PolicyReference struct {
	Name string `json:"name"`           // 1 to 128 characters of A-Z a-z 0-9 _ + = , . @ -; required
	Path string `json:"path,omitempty"` // begins and ends with a slash; empty: "/"
}

// Boundary is a permissions boundary: one of the two, or neither.
type Boundary struct {
	Managed         string          `json:"managedPolicy,omitempty"` // an ARN
	CustomerManaged PolicyReference `json:"customerManagedPolicy,omitzero"`
}

// The limits of what a permission set holds.
const (
	MaxInlinePolicy = 32_768 // characters
	MaxPolicies     = 20     // of each kind
	MaxRelayState   = 240    // characters
)

func (p Policies) clone() Policies {
	p.Managed = append([]string(nil), p.Managed...) // an empty list becomes nil
	p.CustomerManaged = append([]PolicyReference(nil), p.CustomerManaged...)
	return p
}

var (
	policyARN  = regexp.MustCompile(`^arn:aws(-[a-z]{1,5}){0,3}:iam::(aws|[0-9]{12}):policy/[!-~]{1,500}$`)
	policyName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,128}$`)
	policyPath = regexp.MustCompile(`^/([!-~]{0,510}/)?$`)
	relayState = regexp.MustCompile(`^[A-Za-z0-9&$@#\\/%?=~_'"|!:,.;*+ ()\[\]{}-]{1,240}$`)
)

// policies checks the policies of a permission set that is written here.
func (c *checker) policies(p Policies) {
	if p.Inline != "" && (!isObject(p.Inline) || !utf8.ValidString(p.Inline)) {
		c.fail(ReasonInvalid, "inlinePolicy of permission set", "a JSON object", p.Inline)
	}
	if utf8.RuneCountInString(p.Inline) > MaxInlinePolicy {
		c.fail(ReasonQuota, "inlinePolicy of permission set", "at most 32,768 characters", "")
	}
	const managed, customer = "managedPolicies of permission set", "customerManagedPolicies of permission set"
	if len(p.Managed) > MaxPolicies || len(p.CustomerManaged) > MaxPolicies {
		c.fail(ReasonQuota, "policies of permission set", "at most 20 of each kind", "")
	}
	for i, arn := range p.Managed {
		c.match(managed, arn, policyARN, "the ARN of a policy")
		if slices.Contains(p.Managed[:i], arn) {
			c.fail(ReasonDuplicate, managed, "no duplicates", arn)
		}
	}
	for i, r := range p.CustomerManaged {
		c.policyReference(customer, r)
		if slices.Contains(p.CustomerManaged[:i], r) {
			c.fail(ReasonDuplicate, customer, "no duplicates", r.Name)
		}
	}
	const boundary = "permissionsBoundary of permission set"
	switch b := p.Boundary; {
	case b == Boundary{}:
	case b.Managed != "" && b.CustomerManaged != PolicyReference{}:
		c.fail(ReasonInvalid, boundary, "one policy", b.Managed)
	case b.Managed != "":
		c.match(boundary, b.Managed, policyARN, "the ARN of a policy")
	default:
		c.policyReference(boundary, b.CustomerManaged)
	}
}

func (c *checker) policyReference(what string, r PolicyReference) {
	c.match(what, r.Name, policyName, "a name of 1 to 128 characters of A-Z a-z 0-9 _ + = , . @ -")
	if r.Path != "" {
		c.match(what, r.Path, policyPath, "a path that begins and ends with a slash, of at most 512 characters")
	}
}

// isObject reports whether a text is a JSON object.
func isObject(s string) bool {
	return json.Valid([]byte(s)) && strings.HasPrefix(strings.TrimLeft(s, " \t\r\n"), "{")
}
