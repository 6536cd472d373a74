package run_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// sampleReport has every verdict.
func sampleReport() *run.Report {
	x := func(id, title string, v run.Verdict, reason, identity string, n run.Need) run.Result {
		return run.Result{
			ID: id, Title: title, Reference: "SAML Core 1", Expected: "refused", Verdict: v, Reason: reason,
			Identity: identity, Needs: n,
		}
	}
	return &run.Report{
		ServiceProvider: "sp <&>", Started: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Duration: 1500 * time.Millisecond,
		Good: []run.RunResult{
			{How: "rsa, assertion signed", Verdict: run.Accepted}, {How: "rsa, response signed", Verdict: run.Accepted},
			{How: "ecdsa, assertion signed", Verdict: run.Inconclusive, Reason: `status 403, "bad signature"`},
		},
		Results: []run.Result{
			x("A01/response", `XSW1 "<`, run.LetIn, "signed in as the forged user", "admin@example.com", ""),
			x("A03/assertion", "XSW3", run.LetIn, "signed in as the forged user", "admin@example.com", ""),
			x("B01", "missing signature", run.Refused, "", "", ""),
			x("B05", "empty", run.Inconclusive, "no answer: a\x00\x1b[2Jb", "", ""),
			x("C27/name-id-case", "homoglyph", run.Accepted, "", "Alice@example.com", ""),
			x("C30/bytes", "huge document", run.Failed, "status 500", "", ""),
			x("D01/same-browser", "replay, in the same browser", run.LetIn, `signed in as "alice@example.com"`,
				"alice@example.com", ""),
			x("D04", "store", run.NotRun, "no store", "", run.NeedControl),
			x("D06", "second answer", run.LetIn, `signed in as "admin@example.com"`, "admin@example.com", ""),
			x("D25/old", "IssueInstant", run.Tolerated, "how old a message may be is for the service provider to say",
				"alice@example.com", ""),
			x("D41/digit", "ID", run.Stricter, "", "", ""),
			x("D44/data", "RelayState", run.LetIn, `it leads to "data:text/html"`, "", ""),
			x("E01/policy-128", "CBC", run.NotRun, "it needs the service provider's encryption key", "", run.NeedEncryptTo),
			x("E02/policy", "rsa-1_5", run.NotRun, "it needs the service provider's encryption key", "", run.NeedEncryptTo),
		},
		Notes: []string{"the cookie is not Secure"},
	}
}

const wantText = `Service provider  sp <&>
Good, accepted    rsa, assertion signed; rsa, response signed
Good, refused     ecdsa, assertion signed: status 403, "bad signature"

let in, hole       A01/response XSW1 "<: forged Response is root; original
                   signed Response copied inside the forged Signature (as child
                   of ds:Signature)
                   as admin@example.com; signed in as the forged user
let in, hole       A03/assertion XSW3: forged Assertion inserted before original
                   signed Assertion, sibling
                   as admin@example.com; signed in as the forged user
let in, weaker     D01/same-browser replay, in the same browser: same Response
                   twice
                   signed in as "alice@example.com"
let in, policy     D06 second answer: request consumed once
                   signed in as "admin@example.com"
let in, hole       D44/data RelayState: https://evil, //evil, javascript:,
                   \evil, CRLF, > 80 bytes
                   it leads to "data:text/html"

No clear answer    1 attack: no answer: a��[2Jb (B05).
No clear answer    1 attack: status 500 (C30/bytes).

2 attacks not run: they need the service provider's encryption certificate; give
-sp-cert FILE.
1 attack not run: they can't be made over HTTP from outside.
Note: the cookie is not Secure.

The worst 3 of 4 findings:

1. signature wrapping (hole)
   What it means  An attacker with one signed message of any user adds a forged
                  assertion to it, and signs in as any other user.
   Shown by       A01/response, XSW1 "<: forged Response is root; original
                  signed Response copied inside the forged Signature (as child
                  of ds:Signature)
   And by         A03/assertion
   Reference      SAML Core 1
   Run it alone   -only A01/response

2. RelayState redirects to any page (hole)
   What it means  A link that begins with the service provider's own address
                  leads users to the attacker's page.
   Shown by       D44/data, RelayState: https://evil, //evil, javascript:,
                  \evil, CRLF, > 80 bytes
   Reference      SAML Core 1
   Run it alone   -only D44/data

3. replay (weaker)
   What it means  An attacker who obtains a response that was already used signs
                  in with it again.
   Shown by       D01/same-browser, replay, in the same browser: same Response
                  twice
   Reference      SAML Core 1
   Run it alone   -only D01/same-browser

5 attacks were let in: of 14 attacks in 1.5s, 2 refused, 2 unusual but legal, 2
without a clear answer, 3 not run.
`

func TestPrint(t *testing.T) {
	p := run.Printer{How: map[run.Need]string{run.NeedEncryptTo: "give -sp-cert FILE"}, Alone: "-only"}
	var out bytes.Buffer
	require.NoError(t, p.Print(&out, sampleReport()))
	assert.Equal(t, wantText, out.String())

	p.Color = true
	out.Reset()
	require.NoError(t, p.Print(&out, sampleReport()))
	assert.Contains(t, out.String(), "\x1b[31;1mlet in, hole       \x1b[0mA01/response ")
	assert.Contains(t, out.String(), "\x1b[31;1m5 attacks were let in: \x1b[0mof ")
	assert.NotContains(t, out.String(), "\x1b[2J", "of a service provider")
}

// Each verdict has a row with its word, and no line is wider than asked for.
func TestPrintAll(t *testing.T) {
	for _, width := range []int{80, 40} {
		var out bytes.Buffer
		require.NoError(t, run.Printer{All: true, Width: width}.Print(&out, sampleReport()))
		for line := range strings.Lines(out.String()) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), width, line)
		}
		for _, row := range []string{
			"let in, hole       A01/response", "refused            B01", "no clear answer    B05", "unusual but legal  C27/name-id",
			"no clear answer    C30/bytes", "not run            D04", "unusual but legal  D25/old", "refused            D41/digit",
		} {
			assert.Contains(t, out.String(), "\n"+row)
		}
	}
	var out bytes.Buffer
	require.NoError(t, sampleReport().WriteText(&out))
	for _, remark := range []string{
		"though it is legal", "as alice@example.com; hostile, but harmless: how old", "because no store", "Target.EncryptTo.",
	} {
		assert.Contains(t, out.String(), remark)
	}
}

func TestSummary(t *testing.T) {
	all := sampleReport().Results
	of := func(some ...run.Result) string { return (&run.Report{Results: some}).Summary() }
	assert.Equal(t, "No attack was let in: of 1 attack in 0s, 1 refused, 0 unusual but legal, "+
		"0 without a clear answer, 0 not run.", of(all[2]))
	assert.Contains(t, of(all[0], all[2]), "1 attack was let in: of 2 attacks")
	assert.Contains(t, of(all[3], all[7]), "No attack had a clear answer: ")
	assert.Contains(t, of(all[7]), "No attack was run: ")
	assert.Contains(t, of(), "No attack was run: ")
}

func TestExit(t *testing.T) {
	all := sampleReport().Results
	for _, c := range []struct {
		want    int
		results []run.Result
	}{
		{1, all}, {1, []run.Result{all[0], all[3]}}, {3, []run.Result{all[2], all[3]}}, {3, []run.Result{all[2], all[5]}},
		{3, []run.Result{all[7]}}, {3, nil}, {0, []run.Result{all[2], all[7]}}, {0, []run.Result{all[4], all[9], all[10]}},
	} {
		assert.Equal(t, c.want, (&run.Report{Results: c.results}).Exit(), "%v", c.results)
	}
	assert.Equal(t, 3, (&run.Report{Results: []run.Result{all[2]}, StoppedAt: "B01"}).Exit())
}

func TestWriteJSON(t *testing.T) {
	report := sampleReport()
	var out bytes.Buffer
	require.NoError(t, report.WriteJSON(&out))
	var back struct {
		run.Report
		Exit     int
		Summary  string
		Counts   map[string]int
		Findings []run.Finding
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	assert.Equal(t, 1, back.Exit)
	assert.Equal(t, report.Summary(), back.Summary)
	assert.Equal(t, map[string]int{
		"let in": 5, "refused": 2, "unusual but legal": 2, "no clear answer": 2, "not run": 3,
	}, back.Counts)
	require.Len(t, back.Findings, 4)
	assert.Equal(t, run.Hole, back.Findings[0].Severity)
	assert.Equal(t, []string{"A01/response", "A03/assertion"}, back.Findings[0].Attacks)
	assert.Equal(t, run.Policy, back.Findings[3].Severity)
	for i, x := range back.Results {
		assert.Equal(t, x.Verdict.Word(), x.Word)
		assert.Equal(t, x.Verdict == run.LetIn, x.Severity != "")
		x.Word, x.Severity = "", ""
		assert.Equal(t, report.Results[i], x)
	}
}

func TestWriteJUnit(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, sampleReport().WriteJUnit(&out))
	type message struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
	}
	var suites struct {
		Suites []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Errors   int    `xml:"errors,attr"`
			Skipped  int    `xml:"skipped,attr"`
			Cases    []struct {
				Name    string   `xml:"name,attr"`
				Failure *message `xml:"failure"`
				Error   *message `xml:"error"`
				Skipped *message `xml:"skipped"`
				Out     string   `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(out.Bytes(), &suites), out.String())
	require.Len(t, suites.Suites, 1)
	suite := suites.Suites[0]
	assert.Equal(t, "attacks on sp <&>", suite.Name)
	assert.Equal(t, []int{14, 5, 2, 3}, []int{suite.Tests, suite.Failures, suite.Errors, suite.Skipped})
	require.Len(t, suite.Cases, 14)
	assert.Equal(t, `A01/response XSW1 "<`, suite.Cases[0].Name)
	assert.Equal(t, "hole", suite.Cases[0].Failure.Type)
	assert.Contains(t, suite.Cases[0].Failure.Message, "signature wrapping. An attacker with")
	assert.Equal(t, "not run, because no store", suite.Cases[7].Skipped.Message)
	for i, c := range suite.Cases {
		word := sampleReport().Results[i].Verdict.Word()
		assert.Equal(t, word == "let in", c.Failure != nil, c.Name)
		assert.Equal(t, word == "no clear answer", c.Error != nil, c.Name)
		assert.Equal(t, word == "not run", c.Skipped != nil, c.Name)
		assert.True(t, strings.HasPrefix(c.Out, word+": "), c.Out)
	}
}
