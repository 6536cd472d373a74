package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	_ "embed" // attackUsage
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/program"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

//go:embed attack.txt
var attackUsage string

// attackOptions are the flags of the subcommand.
type attackOptions struct {
	target                        run.Target
	list                          bool
	write, keys, key, certificate string
	otherKeys, metadataListen     string
	soapListen                    string
	idpEntityID, sso, idpMetadata string
	weak                          bool
	identity, encryptTo, ca       string
	spMetadata                    string
	json, junit, color            string
	quiet, all, verbose           bool
}

// runAttack runs the subcommand, and returns the exit status.
func runAttack(ctx context.Context, args []string, out, logs io.Writer) (int, error) {
	o, err := parseAttack(args, out)
	switch {
	case err != nil:
		return program.Usage, err
	case o.list:
		return program.OK, listAttacks(out)
	case o.write != "":
		return program.OK, o.writeIdP(out)
	}
	if err := o.complete(ctx); err != nil {
		return program.Usage, err
	}
	if err := o.checkReport(); err != nil {
		return program.Usage, err
	}
	stop, err := o.serveMetadata(ctx)
	if err != nil {
		return program.Usage, err
	}
	defer stop()
	stopCalls, err := o.serveBackChannel()
	if err != nil {
		return program.Usage, err
	}
	defer stopCalls()
	if err := o.discover(ctx, logs); err != nil {
		return program.Usage, err
	}
	report, err := o.run(ctx, logs)
	if err != nil {
		return program.Usage, err
	}
	if err := o.report(report, out); err != nil {
		return program.Usage, err
	}
	return report.Exit(), nil
}

// run runs the attacks and shows the progress.
func (o *attackOptions) run(ctx context.Context, logs io.Writer) (*run.Report, error) {
	if o.quiet {
		return run.Run(ctx, o.target)
	}
	p := &progress{
		to: logs, terminal: isTerminal(logs), color: colored(o.color, logs), verbose: o.verbose,
		total: len(o.target.Chosen()), now: time.Now,
	}
	p.start()
	defer p.clear()
	o.target.Progress = p.add
	return run.Run(ctx, o.target)
}

// listAttacks prints one line an attack.
func listAttacks(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, e := range run.List() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", e.ID, e.Expected, e.Severity, e.Title, e.Reference)
	}
	return t.Flush()
}

// newIdP makes an identity provider and writes its files.
func (o *attackOptions) newIdP(dir string) (*run.IdP, error) {
	idp, err := run.NewIdP()
	if err != nil {
		return nil, err
	}
	if o.weak {
		if idp.RSA1024, err = rsa.GenerateKey(rand.Reader, 1024); err != nil {
			return nil, err
		}
	}
	o.rename(idp)
	return idp, run.WriteIdP(dir, idp)
}

// writeIdP makes an identity provider and says what it is.
func (o *attackOptions) writeIdP(out io.Writer) error {
	idp, err := o.newIdP(o.write)
	if err != nil {
		return err
	}
	dir := strings.TrimRight(o.write, "/")
	fmt.Fprintf(out, "Entity ID  %s\nSSO URL    %s\nMetadata   %s/metadata.xml\n", idp.EntityID, idp.SSOURL, dir)
	return nil
}

// rename sets the identity provider's names to those of the flags.
func (o *attackOptions) rename(idp *run.IdP) {
	idp.EntityID = cmp.Or(o.idpEntityID, idp.EntityID)
	idp.SSOURL = cmp.Or(o.sso, idp.SSOURL)
	if o.write != "" && o.soapListen != "" {
		idp.BackChannel = "http://" + o.soapListen + "/soap"
	}
}

// checkReport checks that the report can be written, before a run that takes minutes. It doesn't change the content
// of a file.
func (o *attackOptions) checkReport() error {
	for _, path := range []string{o.json, o.junit} {
		if path == "" || path == o.json && path == "-" {
			continue
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// report writes the report.
func (o *attackOptions) report(r *run.Report, out io.Writer) error {
	toFile := func(path string, write func(io.Writer) error) error {
		if path == "" {
			return nil
		}
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	if err := toFile(o.junit, r.WriteJUnit); err != nil {
		return err
	}
	if o.json == "-" {
		return r.WriteJSON(out)
	}
	if err := toFile(o.json, r.WriteJSON); err != nil {
		return err
	}
	if o.quiet {
		_, err := fmt.Fprintln(out, r.Summary())
		return err
	}
	return run.Printer{All: o.all || o.verbose, Color: colored(o.color, out), How: howToGive, Alone: "-only"}.Print(out, r)
}

// howToGive says with which flag a user gives what attacks need.
var howToGive = map[run.Need]string{
	run.NeedEncryptTo:     "give -sp-cert FILE",
	run.NeedOtherACS:      "give -acs2 URL",
	run.NeedOtherIdP:      "give -other-keys DIR",
	run.NeedOtherLogin:    "give -other-login URL",
	run.NeedDiscovery:     "give -discovery URL",
	run.NeedMetadata:      "give -metadata-listen ADDRESS",
	run.NeedLogout:        "give -sp-metadata URL of metadata with a SingleLogoutService",
	run.NeedBackChannel:   "make -keys DIR with -write-metadata and -soap-listen ADDRESS",
	run.NeedArtifactACS:   "give -artifact-acs URL",
	run.NeedAttributes:    "give -attribute-probe URL",
	run.NeedLogin:         "leave out -idp-initiated",
	run.NeedSign:          "leave out -sign",
	run.NeedECDSA:         "give -keys DIR instead of -key",
	run.NeedIdPEncryption: "give -keys DIR instead of -key",
	run.NeedRSA1024:       "use -weak-keys when you make -keys DIR",
}
