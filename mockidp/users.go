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

// UserStatus is whether a person may sign in.
type UserStatus int

// The statuses, named as in Okta's API.
const (
	Active        UserStatus = iota // the zero value
	LockedOut                       // too many wrong passwords: no new sign-in, but open sessions stay
	Suspended                       // no sign-in, and open sessions are over
	Deprovisioned                   // the same, for people who left
	Staged                          // no sign-in yet, for people who are to come
)

// User is a person.
type User struct {
	ID       string // zero: 00u and 17 characters made from the login
	Login    string // the name typed at sign-in, and usually the NameID; unique whatever its case
	Password string // zero: DefaultPassword
	// SecondFactor is the code that is asked for after the password. It is
	// always the same one: this is a stand-in for a token, and protects
	// nothing. Zero: the password is enough.
	SecondFactor string
	Status       UserStatus // zero: Active
	FirstName    string     // may be empty
	LastName     string     // may be empty
	Email        string     // zero: Login
	Groups       []string
	// Attributes are whatever else an attribute statement may send, as
	// ${user.name}. The names login, userName, firstName, lastName and email
	// are taken.
	Attributes map[string][]string
}

// Name is what the pages call the user.
func (u User) Name() string {
	if n := strings.TrimSpace(u.FirstName + " " + u.LastName); n != "" {
		return n
	}
	return u.Login
}

func (u User) clone() User {
	u.Groups = slices.Clone(u.Groups)
	u.Attributes = maps.Clone(u.Attributes)
	for k, v := range u.Attributes {
		u.Attributes[k] = slices.Clone(v)
	}
	return u
}

// Values returns what ${user.name} stands for in an Attribute, or nil.
func (u User) Values(name string) []string {
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	switch name {
	case "login", "userName":
		return one(u.Login)
	case "firstName":
		return one(u.FirstName)
	case "lastName":
		return one(u.LastName)
	case "email":
		return one(u.Email)
	}
	return u.Attributes[name]
}

// same compares in constant time; a mock, but one that people copy from.
func same(want, got string) bool {
	w, g := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(got))
	return subtle.ConstantTimeCompare(w[:], g[:]) == 1
}

// gone says that the user's sessions are over.
func (u *User) gone() bool { return u.Status >= Suspended }

// In says that the user is in the group of that name; all are in Everyone.
func (u User) In(group string) bool {
	return group == Everyone || slices.Contains(u.Groups, group)
}

// prepared copies the user, fills in what is zero, and refuses what could not
// be written into an assertion.
func (u User) prepared() (User, *Error) {
	u = u.clone()
	if !idShape.MatchString(u.ID) {
		return User{}, badConfig("user %s: an ID is letters, digits and _ . -, got %s", quote(u.Login), quote(u.ID))
	}
	if u.Status < Active || u.Status > Staged {
		return User{}, badConfig("user %s: unknown Status %d", quote(u.Login), u.Status)
	}
	u.Password, u.Email = cmp.Or(u.Password, DefaultPassword), cmp.Or(u.Email, u.Login)
	if strings.TrimSpace(u.Login) != u.Login || u.Login == "" || len(u.Login) > 256 {
		return User{}, badConfig("User.Login must be 1 to 256 bytes without space around them, got %s", quote(u.Login))
	}
	texts := slices.Concat([]string{u.Login, u.FirstName, u.LastName, u.Email}, u.Groups)
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		if !expressionName(name) || slices.Contains([]string{"login", "userName", "firstName", "lastName", "email"}, name) {
			return User{}, badConfig("user %s: an attribute can't be called %s", quote(u.Login), quote(name))
		}
		texts = append(texts, u.Attributes[name]...)
	}
	for _, t := range texts {
		if err := checkText("user "+quote(u.Login), t); err != nil {
			return User{}, err
		}
	}
	return u, nil
}

// SameLogin says whether two logins name one user: case and space around them
// don't count.
func SameLogin(a, b string) bool { return loginKey(a) == loginKey(b) }

// loginKey folds case: two users who differ in nothing else would be one person at Okta.
func loginKey(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

// checkText refuses text that XML 1.0 can't hold (XML 1.0, production 2): it
// could be signed as one thing and read as another.
func checkText(what, s string) *Error {
	bad := !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	})
	if bad {
		return badConfig("%s: not text that XML can hold: %s", what, quote(s))
	}
	return nil
}

func noSuchUser(login string) *Error {
	return &Error{Reason: ReasonNoSuchUser, Detail: "no user has the login " + quote(login)}
}
