package mockidp

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// UserStatus tells whether a user may sign in.
type UserStatus int

// The statuses, named as in Okta's API.
const (
	Active        UserStatus = iota // the zero value
	LockedOut                       // too many wrong passwords: no new sign-in, but open sessions stay
	Suspended                       // no sign-in, and open sessions end
	Deprovisioned                   // the same, for users who left
	Staged                          // no sign-in yet, for users who join later
)

// User is a user account.
type User struct {
	ID       string // zero: 00u and 17 characters derived from the login
	Login    string // the name typed at sign-in, and usually the NameID; unique without regard to case
	Password string // zero: DefaultPassword
	// SecondFactor is the code that is asked for after the password. It is constant: it replaces a one-time code in
	// tests, and protects nothing. Zero: the password is enough.
	SecondFactor string
	Status       UserStatus // zero: Active
	FirstName    string     // may be empty
	LastName     string     // may be empty
	Email        string     // zero: Login
	Groups       []string
	// Attributes are further values for attribute statements, as ${user.name}. The names login, userName, firstName,
	// lastName and email are reserved.
	Attributes map[string][]string
}

// Name returns the user's name as the pages show it.
func (u User) Name() string { return cmp.Or(strings.TrimSpace(u.FirstName+" "+u.LastName), u.Login) }

func (u User) clone() User {
	u.Groups = slices.Clone(u.Groups)
	u.Attributes = maps.Clone(u.Attributes)
	for k, v := range u.Attributes {
		u.Attributes[k] = slices.Clone(v)
	}
	return u
}

// Values returns the values of ${user.name} in an Attribute, or nil.
func (u User) Values(name string) []string {
	own, reserved := map[string]string{"login": u.Login, "userName": u.Login, "firstName": u.FirstName,
		"lastName": u.LastName, "email": u.Email}[name]
	switch {
	case !reserved:
		return u.Attributes[name]
	case own == "":
		return nil
	}
	return []string{own}
}

// Credentials returns what the user types to sign in: the password, and the code of the second factor or "". Browsers
// in tests use it, such as the one of package testkit.
func (s *Server) Credentials(login string) (password, code string, err error) {
	u := s.state.Load().user(login)
	if u == nil {
		return "", "", noSuchUser(login)
	}
	return u.Password, u.SecondFactor, nil
}

// same compares in constant time, because the code of a mock is often copied.
func same(want, got string) bool {
	w, g := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(got))
	return subtle.ConstantTimeCompare(w[:], g[:]) == 1
}

// deactivated reports whether the status ends the user's sessions.
func (u *User) deactivated() bool { return u.Status >= Suspended }

// In reports whether the user is in a group; all are in Everyone.
func (u User) In(group string) bool { return group == Everyone || slices.Contains(u.Groups, group) }

// prepared returns a copy with defaults filled in. It refuses what can't be written into an assertion.
func (u User) prepared() (User, *Error) {
	u = u.clone()
	if !idShape.MatchString(u.ID) {
		return User{}, badConfig("user %s: an ID consists of letters, digits and _ . -, got %s", quote(u.Login), quote(u.ID))
	}
	if u.Status < Active || u.Status > Staged {
		return User{}, badConfig("user %s: unknown Status %d", quote(u.Login), u.Status)
	}
	u.Password, u.Email = cmp.Or(u.Password, DefaultPassword), cmp.Or(u.Email, u.Login)
	if strings.TrimSpace(u.Login) != u.Login || u.Login == "" || len(u.Login) > 256 {
		return User{}, badConfig("User.Login must be 1 to 256 bytes without surrounding space, got %s", quote(u.Login))
	}
	texts := slices.Concat([]string{u.Login, u.FirstName, u.LastName, u.Email}, u.Groups)
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		valid := expression.FindString("${user."+name+"}") == "${user."+name+"}"
		if !valid || slices.Contains([]string{"login", "userName", "firstName", "lastName", "email"}, name) {
			return User{}, badConfig("user %s: invalid or reserved attribute name %s", quote(u.Login), quote(name))
		}
		texts = append(texts, u.Attributes[name]...)
	}
	return u, checkText("user "+quote(u.Login), texts...)
}

// SameLogin reports whether two logins name the same user: case and surrounding space don't matter.
func SameLogin(a, b string) bool { return loginKey(a) == loginKey(b) }

// loginKey folds case, as Okta does.
func loginKey(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

// checkText refuses text that XML 1.0 can't hold (production 2), and that a reader could change after it was signed.
func checkText(what string, texts ...string) *Error {
	invalid := func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	}
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, invalid) {
			return badConfig("%s: not text that XML can hold: %s", what, quote(s))
		}
	}
	return nil
}
