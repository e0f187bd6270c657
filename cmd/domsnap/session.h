// What a verb works with: the host, and where its words go. Results to stdout; messages, progress and
// warnings as -q,
// --json and --no-progress allow.
#pragma once

#include "command_line.h"

#include <domsnap/host.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domsnap::cli {

class Session {
  public:
    explicit Session(Globals globals);
    ~Session();
    const Globals& globals() const { return globals_; }
    bool json() const { return globals_.json; }
    bool quiet() const { return globals_.quiet; }

    /// Made when first asked for: help and the verbs on plain XML need none.
    Host& host();

    /// A result, as it is.
    void print(std::string_view text);
    /// A whole document that nothing may follow.
    void print_document(std::string_view text);
    /// "Domain 'g' started": not with -q. See finish() for the newline.
    void say(std::string_view message);
    void warn(const std::string& line);
    /// What virsh does not say: on stderr, where no script that reads virsh's words stumbles over it; not with -q.
    void remark(const std::string& line);
    /// Warns if something was cut short there: for verbs that only look, and do not recover.
    void warn_of_unfinished(const std::string& domain);

    /// For long work: progress, warnings, and Ctrl-C as a request to stop.
    Control control();

    /// Puts what was said so far before the user's eyes, whatever else may write to stdout next.
    void flush();

    /// The end of a verb that succeeded. Without -q virsh ends every command's output in a newline of its
    /// own, whether or not the text had one: that is the empty line after lists. Throws Error if stdout
    /// cannot be written.
    void finish();

  private:
    struct Meter;
    Globals globals_;
    std::unique_ptr<Host> host_;
    std::unique_ptr<Meter> meter_;
    char last_ = '\n';
    bool document_ = false;
};

/// "error: …" and "hint: …" on stderr, one line each whatever they hold.
void print_error(std::string_view message, std::string_view hint);

/// Does work; an Error of it is thrown again with what failed before its reason ("Failed to start domain 'g':
/// …"), unless the reason names one of the objects itself.
void explained(const std::string& what, const std::vector<std::string>& objects,
               const std::function<void()>& work);

} // namespace domsnap::cli
