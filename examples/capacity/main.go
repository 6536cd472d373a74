// Command capacity reckons what the Regions of an instance need: processors, memory and disk of the busiest one, and
// how long a change takes to another one. It uses constants that were measured (constants.go).
//
//	capacity [-regions 3] [-people 10000] [-sign-ins 10] [-changes 0.1] [-rtt 80ms]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/program"
)

func main() {
	program.Main("capacity", func(_ context.Context) (int, error) { return run(os.Args[1:], os.Stdout) })
}

func run(args []string, out io.Writer) (int, error) {
	var p plan
	var trips durations
	fs := flag.NewFlagSet("capacity", flag.ContinueOnError)
	fs.IntVar(&p.regions, "regions", 3, "how `MANY` Regions")
	fs.IntVar(&p.people, "people", 10_000, "how `MANY` users the instance has")
	fs.Float64Var(&p.signIns, "sign-ins", 10, "sign-ins a second in all Regions together, as a `RATE`")
	fs.Float64Var(&p.changes, "changes", 0.1, "changes of single users a second, as a `RATE`")
	fs.DurationVar(&p.session, "session", 8*time.Hour, "how `LONG` a session lasts")
	fs.Float64Var(&p.share, "busiest", 0, "the `SHARE` of the sign-ins at the busiest Region (default: all equal)")
	fs.Var(&trips, "rtt", "round-trip `TIMES` between Regions, separated by commas (default 0)")
	if err := program.Parse(fs, "usage: capacity [flags]", args, out, p.check); err != nil {
		return program.Usage, err
	}
	if len(trips) > 0 {
		p.far = slices.Max(trips)
	}
	if err := p.check(); err != nil {
		return program.Usage, err
	}
	report(out, measured.reckon(p))
	return 0, nil
}

// durations is a flag of several durations.
type durations []time.Duration

func (d *durations) String() string { return fmt.Sprint([]time.Duration(*d)) }

// Set implements flag.Value.
func (d *durations) Set(s string) error {
	for one := range strings.SplitSeq(s, ",") {
		v, err := time.ParseDuration(one)
		if err != nil || v < 0 {
			return fmt.Errorf("want durations such as 80ms,120ms")
		}
		*d = append(*d, v)
	}
	return nil
}

func report(out io.Writer, l load) {
	line := func(what, format string, v ...any) {
		_, _ = fmt.Fprintf(out, "%-34s"+format+"\n", append([]any{what}, v...)...)
	}
	line("cores of the busiest Region", "%.2f", l.cores())
	line("  idle", "%.3f", l.idle)
	line("  its sign-ins", "%.3f", l.signIns)
	line("  sessions from and to others", "%.3f", l.copies)
	line("  changes, as the primary", "%.3f", l.changes)
	line("live sessions", "%.0f", l.sessions)
	line("heap in use, MiB", "%.0f", l.heap/(1<<20))
	line("memory to provide, MiB", "%.0f", l.memory/(1<<20))
	line("disk to provide, MiB", "%.0f", l.disk/(1<<20))
	line("a change elsewhere, median", "%v", l.lag.Round(time.Millisecond))
	line("a change elsewhere, slow", "%v", l.worst.Round(time.Millisecond))
	line("CPU time to start all Regions", "%v", l.start.Round(100*time.Millisecond))
	if at := l.cores(); at > 1 {
		line("nodes of two cores, half idle", "%.0f", at+1)
	}
}
