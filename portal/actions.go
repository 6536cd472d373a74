package portal

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
)

// Action is what a user can do with a permission set: a link on its page, such as to a management console.
type Action struct {
	// Name is the link's text. Empty: "Management console", in the user's language.
	Name string
	// URL is an https address. In its path and its query these stand for what the user chose, escaped: {account_id},
	// {role_name}, {region}, {user_name}, and {destination}, which is whatever a deep link asks for: the server behind
	// the address must check it, as it must check that the user has the role. It can be in the query only. Required.
	URL string
}

// CredentialIssuer issues temporary credentials for a role. access.Environment of package
// portal/awsapi/access is one.
type CredentialIssuer interface {
	// Environment returns credentials as environment variables, and when they expire. The portal has checked that the
	// user has the role now. tags are the attributes for access control of the sign-in (see Config.AccessControl).
	// Everyone who has the variables can act as the user.
	Environment(ctx context.Context, user center.User, role center.Role, tags map[string]string) (
		vars map[string]string, expires time.Time, err error)
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// placeholders are what may stand in Action.URL.
var placeholders = []string{"{account_id}", "{role_name}", "{region}", "{user_name}", "{destination}"}

// checkActions refuses addresses that are not https, or in which a value could change the host.
func checkActions(list []Action) error {
	for i, a := range list {
		field := "Config.Actions[" + strconv.Itoa(i) + "].URL"
		for _, name := range placeholder.FindAllString(a.URL, -1) {
			if !strings.Contains(strings.Join(placeholders, ""), name) {
				return badConfig(field, "one of "+strings.Join(placeholders, " "), name)
			}
		}
		if path, _, _ := strings.Cut(a.URL, "?"); strings.Contains(path, "{destination}") { // ".." would lead elsewhere
			return badConfig(field, "{destination} in the query only", a.URL)
		}
		before, _, _ := strings.Cut(a.URL, "{")
		host, err := url.Parse(before)
		if err != nil || before != a.URL && host.Path == "" || !isSignOutURL(placeholder.ReplaceAllString(a.URL, "x")) {
			return badConfig(field, "an https URL, with values only in its path and query", a.URL)
		}
	}
	return nil
}

// link returns the address of an action.
func (a Action) link(region string, user center.User, role center.Role, destination string) string {
	values := map[string]string{
		"{account_id}": role.Account.ID, "{role_name}": role.PermissionSet.Name, "{region}": region,
		"{user_name}": user.UserName, "{destination}": destination,
	}
	at := 0
	var out strings.Builder
	for _, found := range placeholder.FindAllStringIndex(a.URL, -1) {
		out.WriteString(a.URL[at:found[0]])
		// Escaped so that it is one value in a query, and one segment in a path: + means a space only in a query.
		out.WriteString(strings.ReplaceAll(url.QueryEscape(values[a.URL[found[0]:found[1]]]), "+", "%20"))
		at = found[1]
	}
	return out.String() + a.URL[at:]
}

// variableName is the name of an environment variable that every shell accepts.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,100}$`)

// shellLines are commands that set environment variables.
type shellLines struct{ POSIX, PowerShell string }

// newShellLines quotes the values for each shell. A value with a line break, or a name that a shell could misread, is
// the issuer's mistake.
func newShellLines(vars map[string]string, names []string) (shellLines, bool) {
	var posix, power []string
	for _, name := range names {
		v := vars[name]
		if !variableName.MatchString(name) || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
			return shellLines{}, false
		}
		posix = append(posix, "export "+name+"='"+strings.ReplaceAll(v, "'", `'\''`)+"'")
		power = append(power, "$Env:"+name+"='"+strings.ReplaceAll(v, "'", "''")+"'")
	}
	return shellLines{strings.Join(posix, "\n"), strings.Join(power, "\n")}, len(posix) > 0
}
