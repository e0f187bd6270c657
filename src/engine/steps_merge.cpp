// Merges of two files of a chain, by the running QEMU's jobs or by qemu-img. QEMU's jobs wait before they
// change the graph: what must be on disk or written down before is, and a crash at any moment leaves a graph
// that says how far it came.
#include "base/error.h"
#include "engine/steps.h"
#include "image/qemu_img.h"
#include "os/file.h"
#include "plan/document.h"
#include "plan/points.h"
#include "qmp/commands.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::engine {

namespace {

/// True if the node lies in the chain below that one, or is it.
bool is_below(Session& session, const std::string& device, const std::string& node) {
    const auto graph = qmp::query_named_block_nodes(session.monitor(), quick());
    std::string at = device;
    for (size_t depth = 0; depth <= graph.size() && !at.empty(); ++depth) {
        if (at == node) return true;
        const auto found =
            std::find_if(graph.begin(), graph.end(), [&](const auto& n) { return n.node_name == at; });
        at = found == graph.end() ? "" : found->backing_node;
    }
    return false;
}

bool is_a_device_on(Session& session, const std::string& node) {
    const auto devices = qmp::query_device_nodes(session.monitor(), quick());
    return std::any_of(devices.begin(), devices.end(), [&](const auto& d) { return d.second == node; });
}

bool has_job(Session& session, const std::string& job) {
    return qmp::find_job(session.monitor(), job, quick()).has_value();
}

/// The content is where it is to be, on disk too, and the graph is as it was. On disk before: QEMU writes the
/// header of the file above at once, but what it copied may still be in its memory if it is killed.
void await_content(Session& session, const std::string& job, const std::string& target,
                   const std::string& into) {
    const auto& control = session.control();
    qmp::await_pending(
        session.monitor(), job, [&](uint64_t done, uint64_t total) { control.report(target, done, total); },
        [&] { return control.cancelled(); }, Deadline::never());
    qmp::flush_node(session.monitor(), into, quick());
}

void commit_between(Session& session, const plan::Merge& step) {
    if (is_below(session, step.device, step.top_node)) { // else it was done before a crash
        // A job of that name is one that a dead domsnap began: it went on, and is finished here.
        if (!has_job(session, step.job))
            qmp::block_commit(session.monitor(), step.job, step.device, step.top_node, step.base_node,
                              step.base, quick());
        await_content(session, step.job, step.target, step.base_node);
    }
    if (has_job(session, step.job)) finish_job(session, step.job, step.target, false);
    drop_node(session, step.top_node);
}

void put_documents(Session& session, const std::string& live, const std::string& definition) {
    if (!live.empty()) apply(session, plan::PutLive{live, {}});
    if (!definition.empty()) apply(session, plan::PutDefinition{definition, {}});
}

/// The documents are true before the pivot, because both files hold the same; where QEMU then refuses to
/// pivot they are put back.
void pivot(Session& session, const plan::CommitActive& step) {
    const auto live = plan::document_text(session.live());
    const auto definition = session.folder().definition();
    put_documents(session, step.live, step.definition);
    try {
        finish_job(session, step.job, step.target, false);
    } catch (const Error&) {
        if (session.process() && is_a_device_on(session, step.top_node))
            put_documents(session, step.live.empty() ? "" : live, step.definition.empty() ? "" : definition);
        throw;
    }
}

void commit_active_online(Session& session, const plan::CommitActive& step) {
    if (is_a_device_on(session, step.top_node)) {
        if (!has_job(session, step.job))
            qmp::block_commit(session.monitor(), step.job, step.top_node, step.top_node, step.base_node, {},
                              quick());
        await_content(session, step.job, step.target, step.base_node);
        pivot(session, step);
    } else {
        put_documents(session, step.live, step.definition);
        if (has_job(session, step.job)) finish_job(session, step.job, step.target, false);
    }
    drop_node(session, step.top_node);
}

/// QEMU is gone. The definition changed before the pivot: if it still names the child, the base holds but a
/// part of what the guest wrote; else the guest may have written to the base since, and nothing may be moved
/// there.
void commit_active_offline(Session& session, const plan::CommitActive& step) {
    if (step.definition.empty())
        throw Error(
            ErrorCode::outcome_unknown,
            fmt::format("disk '{}' was of one run only, which ended while {} was merged into {}: both are "
                        "kept",
                        step.target, step.child, step.base));
    const auto now = parse_domain(session.folder().definition(), session.name());
    if (!plan::uses(now, step.child)) return;
    image::commit(step.child, step.child_format, step.base, session.control());
    apply(session, plan::PutDefinition{step.definition, {}});
}

void pull_online(Session& session, const plan::Pull& step) {
    if (is_below(session, step.node, step.base_node)) {
        if (!has_job(session, step.job))
            qmp::block_stream(session.monitor(), step.job, step.node, step.backing_node, step.backing,
                              quick());
        await_content(session, step.job, step.target, step.node);
    }
    if (has_job(session, step.job)) finish_job(session, step.job, step.target, false);
    drop_node(session, step.base_node);
}

/// What QEMU still has in memory of it would be written later: qcow2's tables, with the next stop.
void flush_if_there(Session& session, const std::string& node) {
    try {
        session.forget_monitor(); // the connection may be broken in the midst of an answer
        if (!node.empty() && session.process()) qmp::flush_node(session.monitor(), node, quick());
    } catch (const Error&) {
        // What stood in the way before is what the user must hear of.
    }
}

/// One that was cancelled, or failed, has written to the file all the same: that was us. (I7)
template <class Work>
void writing_to(Session& session, const std::string& file, const std::string& node, const Work& work) {
    try {
        work();
    } catch (const Error&) {
        flush_if_there(session, node);
        if (os::exists(file)) session.ledger().renew(file);
        throw;
    }
}

} // namespace

void apply(Session& session, const plan::Merge& step) {
    writing_to(session, step.base, step.base_node, [&] {
        if (!step.top_node.empty() && session.process())
            commit_between(session, step);
        else
            image::commit(step.child, step.child_format, step.base, session.control());
    });
    session.ledger().merged(step.child, step.base);
}

void apply(Session& session, const plan::CommitActive& step) {
    writing_to(session, step.base, step.base_node, [&] {
        if (session.process())
            commit_active_online(session, step);
        else
            commit_active_offline(session, step);
    });
    session.ledger().merged(step.child, step.base);
}

void apply(Session& session, const plan::Pull& step) {
    writing_to(session, step.path, step.node, [&] {
        if (!step.node.empty() && session.process())
            pull_online(session, step);
        else if (image::info(step.path, step.format).backing_path != step.backing)
            image::rebase(step.path, step.format, step.backing, step.backing_format, false,
                          session.control());
    });
    session.ledger().renew(step.path);
}

} // namespace domsnap::engine
