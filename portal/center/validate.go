package center

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
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
	maxName       = 256 // bytes
	maxRegionName = 32
)

// checker keeps the first error, so that each check is one line. Checks run over all that an update touched, so they
// format text only if they fail.
type checker struct {
	err *Error
	of  string // the name of the element being checked, for the error
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

// text checks a required short line: no control characters, and no space at either end. checkNewName checks userNames
// further.
func (c *checker) text(what, s string) { c.bounded(what, s, maxName) }

func (c *checker) bounded(what, s string, most int) {
	switch {
	case s == "":
		c.fail(ReasonRequired, what, "a value", "")
	case len(s) > most:
		c.fail(ReasonInvalid, what, fmt.Sprintf("at most %d bytes", most), s)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		c.fail(ReasonInvalid, what, "valid UTF-8 without control characters", s)
	case strings.TrimSpace(s) != s:
		c.fail(ReasonInvalid, what, "no space at either end", s)
	}
}

func (c *checker) optional(what, s string) {
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

// link checks a URL that pages link to. Only http and https are allowed, so no href can hold a javascript: URL.
func (c *checker) link(what, s string) *url.URL {
	if !utf8.ValidString(s) { // encoding a Record as JSON would change it
		c.fail(ReasonInvalid, what, "valid UTF-8", withoutUser(s))
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil {
		const want = "an absolute http or https URL without user information"
		c.fail(ReasonInvalid, what, want, withoutUser(s))
		return nil
	}
	return u
}

// endpoint checks a URL that the instance serves. Sign-in over a network needs TLS, so plain http is for loopback
// only.
func (c *checker) endpoint(what, s string) {
	u := c.link(what, s)
	if u != nil && u.Scheme == "http" && !IsLoopback(u.Hostname()) {
		c.fail(ReasonInvalid, what, "https (plain http is for loopback only)", withoutUser(s))
	}
}

func (c *checker) region(r Region) {
	c.match("name of Region", r.Name, regionName, "a Region code such as eu-central-1")
	c.of = r.Name
	if len(r.Name) > maxRegionName {
		c.fail(ReasonInvalid, "name of Region", fmt.Sprintf("at most %d characters", maxRegionName), r.Name)
	}
	c.optional("label of Region", r.Label)
	c.dates("addedDate of Region", r.AddedDate)
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
	c.text("userName of user", u.UserName)
	c.of = u.UserName
	c.text("ID of user", u.ID)
	c.optional("displayName of user", u.DisplayName)
	c.optional("email of user", u.Email)
	c.optional("givenName of user", u.GivenName)
	c.optional("familyName of user", u.FamilyName)
	c.optional("externalId of user", u.ExternalID)
	c.provider("identityProvider of user", u.IdentityProvider)
	c.optional("stableId of user", u.StableID)
	c.dates("dates of user", u.CreatedAt, u.UpdatedAt)
}

func (c *checker) group(g Group) {
	c.text("name of group", g.Name)
	c.of = g.Name
	c.text("ID of group", g.ID)
	c.optional("externalId of group", g.ExternalID)
	c.provider("identityProvider of group", g.IdentityProvider)
	c.dates("dates of group", g.CreatedAt, g.UpdatedAt)
}

func (c *checker) permissionSet(p PermissionSet) {
	c.match("name of permission set", p.Name, permissionSetName, "1 to 32 characters of A-Z a-z 0-9 _ + = , . @ -")
	c.of = p.Name
	c.optional("description of permission set", p.Description)
	c.dates("dates of permission set", p.CreatedAt, p.UpdatedAt)
	if p.SessionDuration < time.Hour || p.SessionDuration > 12*time.Hour {
		c.fail(ReasonInvalid, "session duration of permission set", "1 to 12 hours", p.SessionDuration.String())
	}
}

func (c *checker) account(a Account) {
	c.match("account ID", a.ID, accountID, "exactly 12 digits")
	c.of = a.ID
	c.text("name of account", a.Name)
	c.optional("email of account", a.Email)
}

func (c *checker) application(a Application) {
	c.text("name of application", a.Name)
	c.of = a.Name
	c.text("ID of application", a.ID)
	c.optional("description of application", a.Description)
	c.link("URL of application", a.URL)
}

// checkNewName refuses a userName with invisible characters, because such a name looks like another user's. It accepts
// a name that the identity provider's users had before. An older version may have accepted it: the instance must still
// start, and such a user can still be disabled.
func (d *draft) checkNewName(c *checker, u *User) {
	if !strings.ContainsFunc(u.UserName, invisible) {
		return
	}
	with := d.base.relations.usersNamed(u.UserName, false)
	if !slices.ContainsFunc(with, func(o *User) bool { return d.base.share(o.IdentityProvider, u.IdentityProvider) }) {
		c.of = ""
		c.fail(ReasonInvalid, "userName of user", "no invisible or bidirectional characters", u.UserName)
	}
}

// invisible reports whether a character has no glyph, reorders other characters, or looks like a space but isn't
// U+0020.
//
// The joiners U+200C and U+200D count as invisible. Some scripts need them in words, so PRECIS (RFC 8264) and IDNA (RFC
// 5892 A.1) allow them between certain letters. No known directory has userNames with them, so this function makes no
// exception.
func invisible(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return false // text refuses control characters
	case r == '\u2800': // a Braille pattern without dots
		return true
	}
	// Cf and the last two are Default_Ignorable_Code_Point (UAX 44) and a few visible characters, which are not used in
	// userNames either.
	return unicode.In(r, unicode.Z, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

var localhost = regexp.MustCompile(`^([a-z0-9_-]+\.)*localhost\.?$`)

// IsLoopback reports whether a host name or address, without brackets and port, is a loopback one: localhost and names
// below it (RFC 6761 section 6.3), 127.0.0.0/8 and ::1. It equals saml.IsLoopback, which this package can't import.
func IsLoopback(host string) bool {
	return localhost.MatchString(strings.ToLower(host)) || net.ParseIP(host).IsLoopback()
}
