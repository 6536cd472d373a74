package attack

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Row is one row of the catalogue.
type Row struct {
	ID        string // "A01" to "L07"
	Name      string
	What      string // what it does; empty where the name is enough
	Reference string // a CVE, a paper, or the place in the standards
}

// RowOf returns the row that an ID belongs to: a row's own ID, or a case's. Some
// rows have no case because no single document can show them: replay, for
// example, takes several messages.
func RowOf(id string) (Row, bool) {
	row, _, _ := strings.Cut(id, "/")
	for _, r := range read().rows {
		if r.ID == row {
			return r, true
		}
	}
	return Row{}, false
}

// Cases lists the hostile documents in the order of the catalogue. They share
// slices and maps, which must not be changed.
func Cases() []Case { return slices.Clone(read().cases) }

// catalogueText is the catalogue. Its first lines explain the format.
//
//go:embed catalogue.txt
var catalogueText string

var read = sync.OnceValue(func() *catalogue {
	c := &catalogue{texts: make(map[string]string), macros: make(map[string]string)}
	n := 0
	defer func() {
		if r := recover(); r != nil {
			panic(fmt.Sprintf("attack: catalogue.txt:%d: %v", n, r))
		}
	}()
	for line := range strings.Lines(catalogueText) {
		n++
		c.line(strings.TrimSuffix(line, "\n"))
	}
	return c
})

// catalogue is the content of catalogue.txt. Its methods panic at a mistake in it.
type catalogue struct {
	rows       []Row
	cases      []Case
	metadata   []MetadataCase
	logouts    []LogoutCase
	artifacts  []ArtifactCase
	attributes []AttributeCase
	texts      map[string]string // definitions of texts, by %name%
	macros     map[string]string // definitions of steps, by name

	// The lists that receive the settings and steps of the last case.
	last   settable
	twin   bool
	marked stage // the stage of the last marker, or none
}

func (c *catalogue) line(line string) {
	head, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "" || line[0] == '#':
	case strings.HasPrefix(line, "\t"):
		c.steps(words(line))
	case strings.HasPrefix(rest, "= ") && head[0] == '%':
		c.texts[head] = words(rest)[0][1]
	case strings.HasPrefix(rest, "= "):
		c.macros[head] = rest[2:]
	case strings.HasPrefix(rest, "|"):
		f := strings.Split(line, "|")
		for i := range f {
			f[i] = strings.TrimSpace(f[i])
		}
		c.rows = append(c.rows, Row{f[0], f[1], f[2], f[3]})
	default:
		c.newCase(head, rest)
	}
}

// settable is a case of any kind.
type settable interface {
	// set applies a setting. It returns false if name is not a setting.
	set(name string, args []string) bool
	// steps returns the steps that also change the twin, or those of the attack alone.
	steps(twin bool) *change
}

func (c *catalogue) newCase(id, rest string) {
	kind := id
	if slices.Contains([]string{"metadata", "logout", "artifact", "attributes"}, kind) {
		id, rest, _ = strings.Cut(rest, " ")
	}
	outcome, steps, _ := strings.Cut(rest, "  ")
	var reasons []string
	if outcome != "accepted" {
		reasons = strings.Split(outcome, "|")
	}
	row := c.rows[len(c.rows)-1]
	if of, _, _ := strings.Cut(id, "/"); of != row.ID {
		panic("case " + id + " in row " + row.ID)
	}
	switch kind {
	case "metadata":
		c.metadata = append(c.metadata, MetadataCase{
			ID: id, Name: row.Name, Description: row.What, Reference: row.Reference, Outcome: MetadataOutcome{Reasons: reasons},
		})
		c.last = &c.metadata[len(c.metadata)-1]
	case "logout":
		c.logouts = append(c.logouts, LogoutCase{
			ID: id, Name: row.Name, Description: row.What, Reference: row.Reference, Outcome: LogoutOutcome{Reasons: reasons},
		})
		c.last = &c.logouts[len(c.logouts)-1]
	case "artifact":
		c.artifacts = append(c.artifacts, ArtifactCase{
			ID: id, Name: row.Name, Description: row.What, Reference: row.Reference, Outcome: Outcome{Reasons: reasons},
		})
		c.last = &c.artifacts[len(c.artifacts)-1]
	case "attributes":
		c.attributes = append(c.attributes, AttributeCase{
			ID: id, Name: row.Name, Description: row.What, Reference: row.Reference, Outcome: Outcome{Reasons: reasons},
		})
		c.last = &c.attributes[len(c.attributes)-1]
	default:
		c.cases = append(c.cases, Case{
			ID: id, Name: row.Name, Description: row.What, Reference: row.Reference, Outcome: Outcome{Reasons: reasons},
		})
		c.last = &c.cases[len(c.cases)-1]
	}
	c.twin, c.marked = false, none
	c.steps(words(steps))
}

// words splits a line into settings and steps, and these into words.
func words(line string) [][]string {
	all := [][]string{nil}
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return slices.DeleteFunc(all, func(words []string) bool { return len(words) == 0 })
		}
		word, rest, _ := strings.Cut(line, " ")
		ends := strings.HasSuffix(word, ";")
		word = strings.TrimSuffix(word, ";")
		if quoted, err := strconv.QuotedPrefix(line); err == nil {
			word, _ = strconv.Unquote(quoted)
			rest, ends = strings.CutPrefix(line[len(quoted):], ";")
		}
		all[len(all)-1] = append(all[len(all)-1], word)
		if ends {
			all = append(all, nil)
		}
		line = rest
	}
}

var defined = regexp.MustCompile(`%[a-z0-9-]+%`)

// text replaces the names of texts with their definitions.
func (c *catalogue) text(s string) string {
	return defined.ReplaceAllStringFunc(s, func(name string) string {
		if text, ok := c.texts[name]; ok {
			return c.text(text)
		}
		return name
	})
}

// steps adds settings and steps to the last case.
func (c *catalogue) steps(all [][]string) {
	for _, w := range all {
		for len(w) > 0 && strings.HasSuffix(w[0], ":") {
			c.mark(strings.TrimSuffix(w[0], ":"))
			w = w[1:]
		}
		if len(w) == 0 {
			continue
		}
		name, args := w[0], w[1:]
		if macro, ok := c.macros[name]; ok {
			c.steps(filledIn(words(macro), args))
			continue
		}
		for i := range args {
			args[i] = c.text(args[i])
		}
		if !c.last.set(name, args) {
			c.step(name, args)
		}
	}
}

// filledIn replaces $1, $2 and so on with args.
func filledIn(macro [][]string, args []string) [][]string {
	for _, step := range macro {
		for i := range step {
			for n, arg := range args {
				step[i] = strings.ReplaceAll(step[i], "$"+strconv.Itoa(n+1), arg)
			}
		}
	}
	return macro
}

// mark sets the target of the next steps: the twin and the attack, or the
// attack alone, and a stage.
func (c *catalogue) mark(name string) {
	switch name {
	case "twin", "attack":
		c.twin, c.marked = name == "twin", none
		return
	}
	at := slices.Index(stageNames[:], name)
	if at < 0 {
		panic("unknown stage " + name)
	}
	c.marked = stage(at)
}

func (c *catalogue) step(name string, args []string) {
	s, ok := steps[name]
	if !ok || s.args >= 0 && s.args != len(args) {
		panic(fmt.Sprintf("unknown step %s with %d words", name, len(args)))
	}
	at := s.at
	if c.marked != none {
		at = c.marked
	}
	to := c.last.steps(c.twin)
	to[at] = append(to[at], func(d *draft) { s.do(d, d.expandAll(args)) })
}

func (c *Case) set(name string, args []string) bool {
	switch name {
	case "only":
		c.Needs.Sign = []Sign{signCalled(args[0])}
	case "over":
		c.Needs.Sign = []Sign{signCalled(args[0]), SignBoth}
	case "key":
		c.Needs.Key = keyCalled(args[0])
	case "twin-key": // and nothing else that the case needs
		c.twin = &Needs{Key: keyCalled(args[0])}
	case "encrypted":
		c.Needs.Encrypted = true
	case "sp":
		c.Needs.SP.set(args)
	case "subject": // of the twin, too
		c.subject = args[0]
		if c.Outcome.Accepted() {
			c.Outcome.NameID = args[0]
		}
	case "name-id":
		c.Outcome.NameID = args[0]
	case "values":
		c.Outcome.Values = map[string][]string{args[0]: append([]string(nil), args[1:]...)}
	case "until":
		c.Outcome.Until = duration(args[0])
	default:
		return false
	}
	return true
}

func (c *MetadataCase) set(name string, args []string) bool {
	switch name {
	case "by-name":
		c.ByName = true
	case "passed-over":
		c.Outcome.PassedOver = true
	case "until":
		c.Outcome.ValidUntil = duration(args[0])
	case "pinned":
		for _, role := range args {
			c.Pinned = append(c.Pinned, KeyRole(role))
		}
	case "keys":
		for _, role := range args {
			c.Outcome.Keys = append(c.Outcome.Keys, KeyRole(role))
		}
	default:
		return false
	}
	return true
}

func (s *Settings) set(args []string) {
	flags := map[string]*bool{
		"AllowSHA1": &s.AllowSHA1, "AllowRSA1024": &s.AllowRSA1024, "AllowCBC": &s.AllowCBC, "AllowRSA15": &s.AllowRSA15,
		"MetadataOver": &s.MetadataOver, "CertificateOver": &s.CertificateOver,
		"EncryptionKeyListed": &s.EncryptionKeyListed, "ForceAuthn": &s.ForceAuthn,
		"OtherIdP": &s.OtherIdP, "Subject": &s.Subject, "Unsolicited": &s.Unsolicited,
	}
	switch name := args[0]; name {
	case "MaxAuthnAge":
		s.MaxAuthnAge = duration(args[1])
	case "AuthnContext":
		s.AuthnContext = args[1]
	case "NameIDFormat":
		s.NameIDFormat = args[1]
	case "Scope":
		s.Scope = args[1]
	case "ScopePattern":
		s.ScopePattern = args[1]
	default:
		*flags[name] = true
	}
}

func duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return d
}

func signCalled(name string) Sign {
	return Sign(slices.Index(signs[:], name))
}

func keyCalled(name string) KeyKind {
	return KeyKind(slices.Index(keyKinds[:], name))
}
