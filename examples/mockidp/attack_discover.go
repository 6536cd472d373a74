package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// discover finds out what no flag says, and writes the flags that would.
func (o *attackOptions) discover(ctx context.Context, logs io.Writer) error {
	t := &o.target
	if o.spMetadata != "" {
		doc, err := readFileOrURL(ctx, *t, o.spMetadata)
		if err == nil {
			err = t.UseMetadata(doc)
		}
		if err != nil {
			return fmt.Errorf("-sp-metadata: %w", err)
		}
	}
	if t.EntityID != "" && t.ACS != "" && t.Probe != "" && t.Identity != nil {
		return nil
	}
	full, found, err := run.Discover(ctx, *t)
	*t = full
	if !o.quiet {
		writeFound(logs, found)
	}
	if e := new(attack.Error); errors.As(err, &e) {
		return fmt.Errorf("%s (or give %s)", e.Detail, strings.Join(o.missing(), ", "))
	}
	return err
}

// writeFound writes what was found, as flags.
func writeFound(logs io.Writer, found []run.Discovery) {
	if len(found) > 0 {
		fmt.Fprintln(logs, "These flags were found:")
	}
	from := ""
	for _, d := range found {
		if d.From != from {
			from = d.From
			fmt.Fprintf(logs, "from %s:\n", from)
		}
		if d.Field == "EncryptTo" { // -sp-metadata gives it, too
			fmt.Fprintf(logs, "  # a key for encryption: %s\n", d.Value)
			continue
		}
		fmt.Fprintf(logs, "  %s %s\n", flagOf[d.Field], shellWord(d.Value))
	}
}

// flagOf has the flag for a field of run.Target.
var flagOf = map[string]string{
	"Login": "-sp-login", "EntityID": "-entity-id", "ACS": "-acs", "OtherACS": "-acs2", "Discovery": "-discovery",
	"ArtifactACS": "-artifact-acs",
	"Probe":       "-probe", "Identity": "-identity", "IdentityAttribute": "-identity-attribute",
	"Metadata":   "-sp-metadata",
	"IdP.SSOURL": "-sso",
}

// missing lists the flags that would make a discovery unnecessary.
func (o *attackOptions) missing() []string {
	var out []string
	for _, x := range []struct {
		missing bool
		flag    string
	}{
		{o.target.EntityID == "", "-entity-id ID"}, {o.target.ACS == "", "-acs URL"}, {o.target.Probe == "", "-probe URL"},
		{o.target.Identity == nil, "-identity REGEXP"},
	} {
		if x.missing {
			out = append(out, x.flag)
		}
	}
	return out
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// shellWord quotes a value for a POSIX shell.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
