package center

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

var (
	regionName        = regexp.MustCompile(`^([a-z]+-){2,3}[0-9]$`)
	accountID         = regexp.MustCompile(`^[0-9]{12}$`)
	permissionSetName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,32}$`)
)

const (
	maxName        = 256
	maxRegionName  = 32
	minRoleSession = time.Hour
	maxRoleSession = 12 * time.Hour
)

// A checker collects the first thing that is wrong. Later ones are dropped,
// which keeps each check to one line. Checks run over the whole instance at
// every update, so they make no text unless they fail.
type checker struct {
	err *Error
	of  string // the name of what is being checked, if its kind isn't enough
}

func (c *checker) fail(reason Reason, what, want, got string) {
	if c.err != nil {
		return
	}
	if c.of != "" {
		what += " " + quote(c.of)
	}
	c.err = &Error{Reason: reason, Rule: what, Want: want, Got: got}
}

// text checks a short line that people read or that is compared byte for byte.
// Space around it and control characters are refused. checkNewNames refuses more.
func (c *checker) text(what, s string) {
	switch {
	case s == "":
		c.fail(ReasonRequired, what, "a value", "")
	case len(s) > maxName:
		c.fail(ReasonInvalid, what, fmt.Sprintf("at most %d bytes", maxName), s)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		c.fail(ReasonInvalid, what, "valid UTF-8 without control characters", s)
	case strings.TrimSpace(s) != s:
		c.fail(ReasonInvalid, what, "no space at either end", s)
	}
}

// note is text that may be empty.
func (c *checker) note(what, s string) {
	if s != "" {
		c.text(what, s)
	}
}

func (c *checker) match(what, s string, re *regexp.Regexp, want string) {
	if s == "" {
		c.fail(ReasonRequired, what, want, "")
	} else if !re.MatchString(s) {
		c.fail(ReasonInvalid, what, want, s)
	}
}

// link checks a URL that pages lead to. Only http and https are let in, which
// also keeps javascript: and its kin out of every href.
func (c *checker) link(what, s string) *url.URL {
	if !utf8.ValidString(s) { // a Record would turn it into another
		c.fail(ReasonInvalid, what, "valid UTF-8", withoutUser(s))
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		c.fail(ReasonInvalid, what, "an absolute http or https URL without user information", withoutUser(s))
		return nil
	}
	return u
}

// endpoint checks a URL that this instance itself serves. Plain http is for
// loopback only: sign-in with a network in between needs TLS.
func (c *checker) endpoint(what, s string) {
	u := c.link(what, s)
	if u != nil && u.Scheme == "http" && !IsLoopback(u.Hostname()) {
		c.fail(ReasonInvalid, what, "https (plain http is for loopback only)", withoutUser(s))
	}
}

func (c *checker) region(r Region) {
	c.of = ""
	c.match("name of Region", r.Name, regionName, "a Region code such as eu-central-1")
	c.of = r.Name
	if len(r.Name) > maxRegionName {
		c.fail(ReasonInvalid, "name of Region", fmt.Sprintf("at most %d characters", maxRegionName), r.Name)
	}
	c.note("label of Region", r.Label)
	switch r.Status {
	case RegionActive, RegionAdding, RegionRemoving:
	default:
		c.fail(ReasonInvalid, "status of Region", "ACTIVE, ADDING or REMOVING", string(r.Status))
	}
	for _, u := range r.PortalURLs {
		c.endpoint("portal URL of Region", u)
	}
	for _, u := range r.ACSURLs {
		c.endpoint("ACS URL of Region", u)
	}
}

func (c *checker) user(u User) {
	c.of = ""
	c.text("userName of user", u.UserName)
	c.of = u.UserName
	c.text("ID of user", u.ID)
	c.note("displayName of user", u.DisplayName)
	c.note("email of user", u.Email)
	c.note("givenName of user", u.GivenName)
	c.note("familyName of user", u.FamilyName)
	c.note("externalId of user", u.ExternalID)
	c.note("identityProvider of user", u.IdentityProvider)
	c.note("stableId of user", u.StableID)
}

func (c *checker) group(g Group) {
	c.of = ""
	c.text("name of group", g.Name)
	c.of = g.Name
	c.text("ID of group", g.ID)
	c.note("externalId of group", g.ExternalID)
}

func (c *checker) permissionSet(p PermissionSet) {
	c.of = ""
	c.match("name of permission set", p.Name, permissionSetName, "1 to 32 characters of A-Z a-z 0-9 _ + = , . @ -")
	c.of = p.Name
	c.note("description of permission set", p.Description)
	if p.SessionDuration < minRoleSession || p.SessionDuration > maxRoleSession {
		c.fail(ReasonInvalid, "session duration of permission set", "1 to 12 hours", p.SessionDuration.String())
	}
}

func (c *checker) account(a Account) {
	c.of = ""
	c.match("account ID", a.ID, accountID, "exactly 12 digits")
	c.of = a.ID
	c.text("name of account", a.Name)
	c.note("email of account", a.Email)
}

func (c *checker) application(a Application) {
	c.of = ""
	c.text("name of application", a.Name)
	c.of = a.Name
	c.text("ID of application", a.ID)
	c.note("description of application", a.Description)
	c.link("URL of application", a.URL)
}
