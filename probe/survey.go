package probe

import (
	"context"
	"crypto/tls"
	"sync"
	"sync/atomic"
	"time"
)

// SurveyOptions says what a Survey is to decide.
type SurveyOptions struct {
	// Min and Max are the wanted range of TLS versions; zero means TLS 1.2 and TLS 1.3. They matter for Quick.
	Min, Max TLSVersion
	// Quick asks for the versions that decide about the wanted range and no others: those inside it, and the ones just
	// below and just above it. Without Quick each version from TLS 1.0 to TLS 1.3 is asked for.
	Quick bool
	// SkipClassic leaves out the connection that asks for PROTOCOL_RDP.
	SkipClassic bool
	// MaxParallel bounds the connections at one time; zero means 2, the listen backlog of xrdp 0.9
	// (common/os_calls.c, g_sck_listen).
	MaxParallel int
	// Connection is what all connections share: times, Dial, Cookie, names, CipherSuites. Its Requested, Until,
	// NoNegotiation, MinVersion and MaxVersion are not used. CipherSuites bound what completes a handshake; a version that
	// fails for want of a suite is asked for again with every suite that has a name, without completing one.
	Connection Options
}

// Answer is what is known about a question to a server.
type Answer string

// The answers. Silence and faults that have nothing to do with the question leave it unknown.
const (
	AnswerAccepted Answer = "accepted"
	AnswerRefused  Answer = "refused"
	AnswerUnknown  Answer = "unknown"
)

// VersionAnswer is what a server does with one TLS version.
type VersionAnswer struct {
	Version TLSVersion `json:"version"`
	Answer  Answer     `json:"answer"`
	Cipher  string     `json:"cipher,omitempty"`  // OpenSSL's name, if accepted
	Failure *Failure   `json:"failure,omitempty"` // if not accepted
	// Result is the connection that decided it; it is nil if that was ServerSurvey.Full.
	// With Result.ServerHello instead of Result.TLS, the server accepted a suite that crypto/tls does not have.
	Result *Result `json:"result,omitempty"`
}

// ServerSurvey is what the connections of one Survey showed.
type ServerSurvey struct {
	Addr string `json:"addr"`
	// Full asked for SSL|HYBRID with all TLS versions and went as far as the server let it.
	Full Result `json:"full"`
	// SSL asked for PROTOCOL_SSL alone. It is nil unless Full was led to CredSSP or refused.
	SSL *Result `json:"ssl,omitempty"`
	// Classic asked for PROTOCOL_RDP. It is nil if it was left out or if Full could not connect.
	Classic *Result `json:"classic,omitempty"`
	// Versions has the TLS versions asked for, oldest first. It is empty if the server does not come to a handshake at
	// all: not reachable, no TLS selected, or a TLS set-up that fails for every client.
	Versions []VersionAnswer `json:"versions"`
	Elapsed  time.Duration   `json:"elapsed_ns"`
}

// Version gives the answer for one version; ok is false if it was not asked for.
func (s *ServerSurvey) Version(v TLSVersion) (answer VersionAnswer, ok bool) {
	for _, a := range s.Versions {
		if a.Version == v {
			return a, true
		}
	}
	return VersionAnswer{}, false
}

// Accepted gives the versions that the server accepted, oldest first.
func (s *ServerSurvey) Accepted() []TLSVersion {
	var versions []TLSVersion
	for _, a := range s.Versions {
		if a.Answer == AnswerAccepted {
			versions = append(versions, a.Version)
		}
	}
	return versions
}

// Survey makes the fewest connections that decide which security a server offers: a full one, one that asks for
// PROTOCOL_RDP, and one for each TLS version in question that the full one has not shown. Each is made once.
func Survey(ctx context.Context, addr string, opts SurveyOptions) ServerSurvey {
	if opts.MaxParallel <= 0 {
		opts.MaxParallel = 2
	}
	if opts.Min == 0 {
		opts.Min = tls.VersionTLS12
	}
	if opts.Max == 0 {
		opts.Max = tls.VersionTLS13
	}
	now := opts.Connection.Now
	if now == nil {
		now = time.Now
	}
	started := now()
	s := surveyor{ctx: ctx, addr: WithPort(addr), opts: opts}
	survey := s.survey()
	survey.Elapsed = now().Sub(started)
	return survey
}

type surveyor struct {
	ctx  context.Context
	addr string
	opts SurveyOptions
}

// run makes one connection.
func (s *surveyor) run(requested Protocol, until Stage, minVersion, maxVersion TLSVersion) Result {
	opts := s.opts.Connection
	opts.Requested, opts.Until, opts.NoNegotiation = requested, until, false
	opts.MinVersion, opts.MaxVersion = minVersion, maxVersion
	return Run(s.ctx, s.addr, opts)
}

// all does what is to be done, MaxParallel at one time, and returns when all is done. The caller's goroutine, whose
// stack has grown already, takes its part.
func (s *surveyor) all(todo []func()) {
	var next atomic.Int64
	work := func() {
		for i := next.Add(1); i <= int64(len(todo)); i = next.Add(1) {
			todo[i-1]()
		}
	}
	var wg sync.WaitGroup
	for range min(s.opts.MaxParallel, len(todo)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

func (s *surveyor) survey() ServerSurvey {
	survey := ServerSurvey{Addr: s.addr}
	survey.Full = s.run(ProtocolSSL|ProtocolHybrid, StageDone, 0, 0)
	if survey.Full.Reached < StageConnect || survey.Full.Failure != nil && survey.Full.Failure.Kind == KindNotRDP {
		return survey
	}
	var todo []func()
	basis := &survey.Full
	if f := basis.Failure; f != nil && (f.Kind == KindCredSSPRequired || f.Kind == KindNegotiationFailure) {
		survey.SSL = new(Result)
		todo = append(todo, func() { *survey.SSL = s.run(ProtocolSSL, StageDone, 0, 0) })
	}
	if !s.opts.SkipClassic {
		survey.Classic = new(Result)
		todo = append(todo, func() { *survey.Classic = s.run(ProtocolRDP, StageDone, 0, 0) })
	}
	if survey.SSL != nil && basis.TLS == nil { // the other versions are asked for as it was answered
		s.all(todo)
		todo, basis = nil, survey.SSL
	}
	if comesToHandshake(basis) {
		survey.Versions = s.versions(basis, &todo)
	}
	s.all(todo)
	return survey
}

// comesToHandshake reports whether a server that answered so does TLS with anybody.
func comesToHandshake(r *Result) bool {
	if r.Negotiation == nil || r.Negotiation.FailureCode != 0 || r.Negotiation.Selected == ProtocolRDP {
		return false
	}
	if f := r.Failure; f != nil && f.Stage == StageTLS {
		return f.Kind != KindTLSSetupFailed && f.Kind != KindTimeout && f.Kind != KindCancelled
	}
	return true
}

// versions adds to todo the question for each version that full leaves open.
func (s *surveyor) versions(full *Result, todo *[]func()) []VersionAnswer {
	var answers []VersionAnswer
	for _, v := range TLSVersions() {
		if !s.opts.Quick || v+1 >= s.opts.Min && v <= s.opts.Max+1 {
			answers = append(answers, VersionAnswer{Version: v})
		}
	}
	for i := range answers {
		a := &answers[i]
		if full.TLS != nil && full.TLS.Version == a.Version {
			a.Answer, a.Cipher = AnswerAccepted, full.TLS.Cipher
			continue
		}
		*todo = append(*todo, func() {
			r := s.run(full.Negotiation.Requested, StageDone, a.Version, a.Version)
			a.Result = &r
			a.decide(full)
			if f := a.Failure; f != nil && f.Kind == KindTLSAlert && (f.Alert == alertHandshakeFailure || f.Alert == alertInsufficientSecurity) {
				s.askBroadly(a, full.Negotiation.Requested)
			}
		})
	}
	return answers
}

// askBroadly asks again with every suite that has a name: a server may have none in common with crypto/tls, which knows
// no DHE, and still serve the clients of other libraries.
func (s *surveyor) askBroadly(a *VersionAnswer, requested Protocol) {
	opts := s.opts.Connection
	hello := BroadHello(a.Version, a.Version)
	hello.ServerName = opts.ServerName
	records, err := hello.Encode(nil)
	if err != nil {
		return
	}
	opts.Requested, opts.Until, opts.NoNegotiation, opts.MinVersion, opts.MaxVersion = requested, StageTLS, false, 0, 0
	if r := Hello(s.ctx, s.addr, opts, records); r.ServerHello != nil && r.ServerHello.Version == a.Version {
		a.Answer, a.Cipher, a.Failure, a.Result = AnswerAccepted, r.ServerHello.Cipher, nil, &r
	}
}

// decide reads the answer from the connection that asked for one version only.
func (a *VersionAnswer) decide(full *Result) {
	a.Answer, a.Failure = AnswerUnknown, a.Result.Failure
	if a.Result.TLS != nil {
		a.Answer, a.Cipher, a.Failure = AnswerAccepted, a.Result.TLS.Cipher, nil
		return
	}
	if a.Failure == nil || a.Failure.Stage != StageTLS {
		return
	}
	switch a.Failure.Kind {
	case KindTLSAlert, KindTLSVersion:
		a.Answer = AnswerRefused
	case KindTLSCutOff, KindReset, KindClosed:
		// Schannel closes without an alert. That counts as a refusal only beside a handshake that was completed.
		if full.TLS != nil {
			a.Answer = AnswerRefused
		}
	}
}
