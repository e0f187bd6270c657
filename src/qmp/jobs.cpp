// Background jobs: snapshots with memory, merges of images, and how a job ends.
#include "qmp/commands.h"

#include "qmp/answer.h"

#include <chrono>

namespace domsnap::qmp {

namespace {

Job to_job(const Json& info) {
    return {info.at("id"),
            info.at("type"),
            info.at("status"),
            info.value("error", std::string()),
            info.value("current-progress", uint64_t{0}),
            info.value("total-progress", uint64_t{0})};
}

Json snapshot_arguments(const std::string& job, const std::string& tag,
                        const std::vector<std::string>& nodes) {
    return {{"job-id", job}, {"tag", tag}, {"devices", nodes}};
}

/// auto-dismiss off: the job stays, with its error, until its outcome was read; also by the next client, if
/// we die. auto-finalize off: it does not change the graph before it is told to.
Json block_job_arguments(const std::string& job, const std::string& device) {
    return {{"job-id", job}, {"device", device}, {"auto-finalize", false}, {"auto-dismiss", false}};
}

/// A job may take for ever, an answer about it may not: a monitor that hangs must not hang us.
Deadline for_answer(Deadline d) { return d.or_sooner(std::chrono::seconds(60)); }

/// Until the job changes its state or the next look is due.
void wait_for_change(Client& qemu, const std::string& id, Deadline d) {
    const auto concerns_job = [&](const Event& event) {
        return event.name == "JOB_STATUS_CHANGE" && Json::parse(event.data).value("id", std::string()) == id;
    };
    qemu.wait_event(concerns_job, d.or_sooner(std::chrono::milliseconds(100)));
}

/// A verb that comes too late, because the job went on meanwhile, is no error: the next look sees where it
/// is.
void try_verb(void (*verb)(Client&, const std::string&, Deadline), Client& qemu, const std::string& id,
              Deadline d) {
    try {
        verb(qemu, id, d);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::refused_by_qemu) throw;
    }
}

/// A cancelled job's error is strerror(ECANCELED) (QEMU's job_update_rc), whoever cancelled it.
void conclude(Client& qemu, const Job& job, Deadline d) {
    job_dismiss(qemu, job.id, d);
    if (job.error.empty()) return;
    if (job.error == "Operation canceled")
        throw Error(ErrorCode::cancelled,
                    fmt::format("QEMU's job '{}' ({}) was cancelled", job.id, job.type));
    throw Error(ErrorCode::refused_by_qemu,
                fmt::format("QEMU's job '{}' ({}) failed: {}", job.id, job.type, job.error));
}

} // namespace

std::vector<Job> query_jobs(Client& qemu, Deadline d) {
    const Json infos = qemu.run("query-jobs", for_answer(d));
    return read_answer("query-jobs", [&] {
        std::vector<Job> jobs;
        for (const Json& info : infos)
            jobs.push_back(to_job(info));
        return jobs;
    });
}

std::optional<Job> find_job(Client& qemu, const std::string& id, Deadline d) {
    for (auto& job : query_jobs(qemu, d))
        if (job.id == id) return std::move(job);
    return std::nullopt;
}

void job_dismiss(Client& qemu, const std::string& id, Deadline d) {
    qemu.run("job-dismiss", {{"id", id}}, for_answer(d));
}
void job_cancel(Client& qemu, const std::string& id, Deadline d) {
    qemu.run("job-cancel", {{"id", id}}, for_answer(d));
}
void job_complete(Client& qemu, const std::string& id, Deadline d) {
    qemu.run("job-complete", {{"id", id}}, for_answer(d));
}
void job_finalize(Client& qemu, const std::string& id, Deadline d) {
    qemu.run("job-finalize", {{"id", id}}, for_answer(d));
}

void snapshot_save(Client& qemu, const std::string& job, const std::string& tag,
                   const std::string& vmstate_node, const std::vector<std::string>& nodes, Deadline d) {
    Json arguments = snapshot_arguments(job, tag, nodes);
    arguments["vmstate"] = vmstate_node;
    qemu.run("snapshot-save", arguments, d);
}

void snapshot_load(Client& qemu, const std::string& job, const std::string& tag,
                   const std::string& vmstate_node, const std::vector<std::string>& nodes, Deadline d) {
    Json arguments = snapshot_arguments(job, tag, nodes);
    arguments["vmstate"] = vmstate_node;
    qemu.run("snapshot-load", arguments, d);
}

void snapshot_delete(Client& qemu, const std::string& job, const std::string& tag,
                     const std::vector<std::string>& nodes, Deadline d) {
    qemu.run("snapshot-delete", snapshot_arguments(job, tag, nodes), d);
}

void block_commit(Client& qemu, const std::string& job, const std::string& device_node,
                  const std::string& top_node, const std::string& base_node, const std::string& backing_file,
                  Deadline d) {
    Json arguments = block_job_arguments(job, device_node);
    arguments["top-node"] = top_node;
    arguments["base-node"] = base_node;
    // Nothing is above the active layer, and QEMU refuses the argument there.
    if (!backing_file.empty() && top_node != device_node) arguments["backing-file"] = backing_file;
    qemu.run("block-commit", arguments, d);
}

void block_stream(Client& qemu, const std::string& job, const std::string& node, const std::string& base_node,
                  const std::string& backing_file, Deadline d) {
    Json arguments = block_job_arguments(job, node);
    if (!base_node.empty()) arguments["base-node"] = base_node;
    // Without a base the node becomes independent, and QEMU refuses the argument.
    if (!base_node.empty() && !backing_file.empty()) arguments["backing-file"] = backing_file;
    qemu.run("block-stream", arguments, d);
}

namespace {

using OnProgress = std::function<void(uint64_t, uint64_t)>;
using ShouldStop = std::function<bool()>;

Job get_job(Client& qemu, const std::string& id, Deadline d) {
    if (auto job = find_job(qemu, id, d)) return std::move(*job);
    throw Error(ErrorCode::outcome_unknown,
                fmt::format("QEMU's job '{}' is gone, and with it how it ended", id),
                "Another program may have dismissed it.");
}

/// Until the job is in that state, or over.
Job drive(Client& qemu, const std::string& id, const char* until, const OnProgress& on_progress,
          const ShouldStop& should_stop, Deadline d) {
    bool stopping = false;
    for (;; wait_for_change(qemu, id, d)) {
        const auto job = get_job(qemu, id, d);
        if (on_progress) on_progress(job.done, job.total);
        if (job.status == until || job.status == "concluded") return job;
        if (d.passed())
            throw Error(ErrorCode::outcome_unknown,
                        fmt::format("QEMU's job '{}' is still {}", id, job.status));
        if (stopping) continue;
        if (job.status == "pending") {
            try_verb(job_finalize, qemu, id, d);
        } else if (should_stop && should_stop()) {
            stopping = true;
            try_verb(job_cancel, qemu, id, d);
        } else if (job.status == "ready") {
            try_verb(job_complete, qemu, id, d);
        }
    }
}

} // namespace

void await_pending(Client& qemu, const std::string& id, const OnProgress& on_progress,
                   const ShouldStop& should_stop, Deadline d) {
    const auto job = drive(qemu, id, "pending", on_progress, should_stop, d);
    if (job.status == "concluded") conclude(qemu, job, d);
}

void finish_job(Client& qemu, const std::string& id, const OnProgress& on_progress,
                const ShouldStop& should_stop, Deadline d) {
    conclude(qemu, drive(qemu, id, "concluded", on_progress, should_stop, d), d);
}

} // namespace domsnap::qmp
