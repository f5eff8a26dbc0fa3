package xrdpconf

import "strings"

// LogDir is where xrdp puts a log file whose name is relative (XRDP_LOG_PATH).
const LogDir = "/var/log"

// LogLevel is a level of xrdp's log. A line is written when its level is not above
// the configured one.
type LogLevel uint8

// The levels, in xrdp's order (common/log.h, enum logLevels).
const (
	LogCore LogLevel = iota
	LogError
	LogWarning
	LogInfo
	LogDebug
	LogTrace
)

var logLevels = [...]string{"core", "error", "warning", "info", "debug", "trace"}

// String returns the level as xrdp.ini spells it.
func (l LogLevel) String() string {
	if int(l) < len(logLevels) {
		return logLevels[l]
	}
	return "unknown"
}

// ParseLogLevel reads a level as xrdp does: a name in any case or a number from 0 to
// 5. What xrdp does not know is debug to it, and ok is false.
func ParseLogLevel(s string) (level LogLevel, ok bool) {
	word := fold(s)
	if word == "warn" {
		return LogWarning, true
	}
	for i, name := range logLevels {
		if word == name || word == string(rune('0'+i)) {
			return LogLevel(i), true
		}
	}
	return LogDebug, false
}

// Logging is [Logging] of either file as the daemon ends up using it.
type Logging struct {
	File           string // absolute, "./sesman.log" when the key is missing, "<stdout>" from 0.10.0 on
	FileSet        bool
	Level          LogLevel
	LevelText      string
	LevelSet       bool
	LevelValid     bool // false: xrdp uses debug; true also when the key is missing
	EnableSyslog   bool
	SyslogLevel    LogLevel
	EnableConsole  bool
	ConsoleLevel   LogLevel
	ProcessID      bool // lines carry [pid:N tid:N]
	ProcessIDKnown bool // the version knows EnableProcessId
}

// ReadLogging reads [Logging] (common/log.c, internal_config_read_logging). The name
// of the default file is sesman.log for xrdp too.
func ReadLogging(f *File, v Version, env func(string) string) Logging {
	v = v.orAssumed()
	r := reader{f, env, SectionLogging}
	l := Logging{
		File: "./sesman.log", Level: LogInfo, LevelValid: true,
		SyslogLevel: LogInfo, ConsoleLevel: LogInfo, ProcessIDKnown: v.AtLeast(0, 9, 15),
	}
	if text, ok := r.text("LogFile"); ok {
		l.FileSet = true
		l.File = text
		if !strings.HasPrefix(text, "/") && (text != "<stdout>" || !v.AtLeast(0, 10)) {
			// xrdp builds the path in a buffer of 512 bytes, with snprintf(…, 511).
			l.File = truncate(LogDir+"/"+text, 510)
		}
	}
	if text, ok := r.text("LogLevel"); ok {
		l.LevelText, l.LevelSet = text, true
		l.Level, l.LevelValid = ParseLogLevel(text)
	}
	l.EnableSyslog, _ = r.boolean("EnableSyslog")
	if text, ok := r.text("SyslogLevel"); ok {
		l.SyslogLevel, _ = ParseLogLevel(text)
	}
	if v.AtLeast(0, 9, 15) {
		l.EnableConsole, _ = r.boolean("EnableConsole")
		if text, ok := r.text("ConsoleLevel"); ok {
			l.ConsoleLevel, _ = ParseLogLevel(text)
		}
		l.ProcessID, _ = r.boolean("EnableProcessId")
	}
	return l
}

// reader reads scalars of one section, with an environment of its own.
type reader struct {
	f       *File
	env     func(string) string
	section string
}

func (r reader) value(key string) (Value, bool) {
	v, ok := r.f.Lookup(r.section, key)
	if ok && v.Env != "" && r.env != nil {
		v.Text = r.env(v.Env)
	}
	return v, ok
}

func (r reader) text(key string) (string, bool) {
	v, ok := r.value(key)
	return v.Text, ok
}

func (r reader) boolean(key string) (value, ok bool) {
	text, ok := r.text(key)
	return ParseBool(text), ok
}

func (r reader) integer(key string, missing int) int {
	if text, ok := r.text(key); ok {
		return atoi(text)
	}
	return missing
}
