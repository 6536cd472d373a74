package audit

import (
	"time"
)

// tickEvery is how often rules are checked and sizes are reported. Counts are written every minute.
const tickEvery = 10 * time.Second

func (l *Log) ticks() {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for n := 1; ; n++ {
		select {
		case <-t.C:
			l.tick()
			if n%6 == 0 {
				l.writeCounts(n%360 == 0)
			}
		case <-l.closing:
			return
		}
	}
}

func (l *Log) tick() {
	worst := 0.0
	for _, class := range classes {
		c := l.chains[class]
		l.mu.Lock()
		exported := l.exported[class]
		l.mu.Unlock()
		total, unexported := c.usage(exported)
		l.observe(ObservedBytes, string(class), float64(total))
		l.observe(ObservedUnexportedBytes, string(class), float64(unexported))
		if class != Refusals {
			worst = max(worst, float64(unexported)/float64(c.max))
		}
	}
	l.alerts.Observe(ValueAuditFull, l.cfg.Region, worst)
	l.alerts.check()
}

// writeCounts writes what was counted instead of written, a short event for each kind.
func (l *Log) writeCounts(hour bool) {
	for _, k := range l.cfg.Keys {
		k.writeCounts(l, hour)
	}
	for class, about := range l.quota.counted(l.cfg.Now()) {
		source := SourceSignIn
		if class == Remote {
			source = SourceSSO
		}
		line, err := l.line(Event{
			Source: source, Name: "MoreNotWritten", ClientAddr: SourceSSO, UserAgent: SourceSSO, Identity: Service(),
			Additional: about,
		})
		if err == nil {
			err = l.chains[class].put(&entry{lines: [][]byte{line}})
		}
		if err != nil {
			l.cfg.Logger.Error("audit: counts not written", "class", class, "counts", about, "error", err)
		}
	}
}
