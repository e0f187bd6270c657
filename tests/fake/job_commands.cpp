// Commands that start jobs, and the verbs on jobs.
#include "machine.h"

#include <algorithm>
#include <utility>

namespace fake {

namespace {

constexpr uint64_t vm_state_bytes = 1 << 20; // of the snapshots that snapshot-save makes

// -- snapshots with memory
// --------------------------------------------------------------------------------------

struct SnapshotRequest {
    std::string tag, vmstate;
    std::vector<std::string> nodes;
};

SnapshotRequest request_of(const Json& arguments) {
    return {arguments.at("tag"), arguments.value("vmstate", ""), arguments.at("devices")};
}

void check_nodes(Machine& machine, const SnapshotRequest& request) {
    for (const auto& name : request.nodes) {
        const Node* node = machine.graph.find(name);
        if (!node) throw Refusal("No block device node '" + name + "'");
        if (!machine.graph.takes_snapshots(*node))
            throw Refusal("Device '" + name + "' is writable but does not support snapshots");
    }
}

void check_vmstate(const SnapshotRequest& request) {
    if (std::find(request.nodes.begin(), request.nodes.end(), request.vmstate) == request.nodes.end())
        throw Refusal("vmstate block device '" + request.vmstate + "' does not exist");
}

void save(Machine& machine, const SnapshotRequest& request) {
    check_nodes(machine, request);
    for (const auto& name : request.nodes)
        if (machine.graph.header_of(machine.graph.get(name)).has(request.tag))
            throw Refusal("Snapshot '" + request.tag + "' already exists in one or more devices");
    check_vmstate(request);
    const bool was_running = machine.running();
    machine.stop_cpus("save-vm");
    for (const auto& name : request.nodes) {
        const std::string path = machine.graph.path_of(machine.graph.get(name));
        qemu_img({"snapshot", "-c", request.tag, path});
        if (name == request.vmstate) set_vm_state_size(path, request.tag, vm_state_bytes);
    }
    if (was_running) machine.start_cpus();
}

/// The pages that the stream has and the devices, which must fit the memory that is there then.
void load_stream(Machine& machine, const std::string& stream) {
    size_t at = 0;
    const auto get = [&](size_t size) {
        if (stream.size() - at < size) throw Refusal("Error -5 while loading VM state");
        return stream.substr(std::exchange(at, at + size), size);
    };
    machine.take_state(
        read_stream(machine.memory.block(), machine.options.machine, get,
                    [&](uint64_t offset, const std::string& page) { machine.memory.write(offset, page); }));
}

void load(Machine& machine, const SnapshotRequest& request) {
    const bool was_running = machine.running();
    machine.stop_cpus("restore-vm");
    check_nodes(machine, request);
    for (const auto& name : request.nodes)
        if (!machine.graph.header_of(machine.graph.get(name)).has(request.tag))
            throw Refusal("Snapshot '" + request.tag + "' does not exist in one or more devices");
    check_vmstate(request);
    const DiskHeader header = machine.graph.header_of(machine.graph.get(request.vmstate));
    const auto state_bytes = header.find(request.tag)->vm_state_bytes;
    if (state_bytes == 0) throw Refusal("This is a disk-only snapshot. Revert to it  offline using qemu-img");
    for (const auto& name : request.nodes)
        qemu_img({"snapshot", "-a", request.tag, machine.graph.path_of(machine.graph.get(name))});
    if (state_bytes != vm_state_bytes) // else of the fake's own making
        load_stream(machine,
                    vm_state_of(machine.graph.path_of(machine.graph.get(request.vmstate)), request.tag));
    if (was_running) machine.start_cpus();
}

void remove_states(Machine& machine, const SnapshotRequest& request) {
    check_nodes(machine, request);
    for (const auto& name : request.nodes) {
        const Node& node = machine.graph.get(name);
        if (machine.graph.header_of(node).has(request.tag))
            qemu_img({"snapshot", "-d", request.tag, machine.graph.path_of(node)});
    }
}

template <auto work>
Json snapshot_job(Machine& machine, const Json& arguments, const char* type) {
    Job job;
    job.id = arguments.at("job-id");
    job.type = type;
    job.work = [&machine, request = request_of(arguments)] { work(machine, request); };
    machine.jobs.start(std::move(job));
    return nothing;
}

// -- block jobs
// --------------------------------------------------------------------------------------------------

Job block_job(Machine& machine, const Json& arguments, const char* type, const Node& node) {
    Job job;
    job.id = arguments.value("job-id", node.name);
    job.type = type;
    job.node = node.name;
    job.speed = arguments.value("speed", uint64_t{0});
    job.auto_finalize = arguments.value("auto-finalize", true);
    job.auto_dismiss = arguments.value("auto-dismiss", true);
    job.total = machine.graph.virtual_size(node);
    return job;
}

void set_header_backing(Graph& graph, const Node& node, const std::string& backing,
                        const std::string& format) {
    qemu_img({"rebase", "-u", "-f", node.driver, "-b", backing, "-F", format, graph.path_of(node)});
}

/// Content down into base, whatever the headers say about the chain between.
void commit_content(Graph& graph, const std::string& top, const std::string& base) {
    const auto chain = graph.chain(top, base);
    for (size_t i = 0; i + 1 < chain.size(); ++i)
        qemu_img({"commit", "-d", "-f", chain[i]->driver, "-b", graph.path_of(graph.get(base)),
                  graph.path_of(*chain[i])});
}

Json block_commit(Machine& machine, const Json& arguments, Monitor&) {
    Graph& graph = machine.graph;
    const std::string device = arguments.at("device");
    Node* active = graph.find(device);
    if (!active) throw Refusal("Device '" + device + "' not found", "DeviceNotFound");
    if (!graph.user_of_backing(device).empty()) throw Refusal("Need a root block node");
    const std::string top = arguments.value("top-node", device);
    std::string base = arguments.value("base-node", "");
    for (Node* node = active; base.empty() && node; node = graph.find(node->backing))
        if (node->backing.empty()) base = node->name;
    graph.get_by_node_name(top);
    graph.get_by_node_name(base);
    if (graph.chain(device, top).empty()) throw Refusal("'" + top + "' is not in this backing file chain");
    if (graph.chain(top, base).empty()) throw Refusal("'" + base + "' is not in this backing file chain");
    if (top == device && arguments.contains("backing-file"))
        throw Refusal("'backing-file' specified, but 'top' is the active layer");
    Job job = block_job(machine, arguments, "commit", *active);
    job.completes_by_hand = top == device;
    job.work = [&graph, top, base] { commit_content(graph, graph.get(top).name, base); };
    job.finish = [&graph, top, base, backing = arguments.value("backing-file", "")] {
        const std::string above = graph.user_of_backing(top);
        const Node& lower = graph.get(base);
        if (!above.empty())
            set_header_backing(graph, graph.get(above), backing.empty() ? graph.path_of(lower) : backing,
                               lower.driver);
        else
            graph.set_read_only(base, false);
        graph.replace(top, base, "");
        graph.collect();
    };
    machine.jobs.start(std::move(job));
    return nothing;
}

Json block_stream(Machine& machine, const Json& arguments, Monitor&) {
    Graph& graph = machine.graph;
    const std::string device = arguments.at("device"), base = arguments.value("base-node", "");
    Node* node = graph.find(device);
    if (!node) throw Refusal("Device '" + device + "' not found", "DeviceNotFound");
    if (!base.empty()) graph.get_by_node_name(base);
    if (!base.empty() && graph.chain(device, base).empty())
        throw Refusal("Node '" + base + "' is not a backing image of '" + device + "'");
    if (base.empty() && arguments.contains("backing-file"))
        throw Refusal("backing file specified, but streaming the entire chain");
    Job job = block_job(machine, arguments, "stream", *node);
    job.work = [] {};
    job.finish = [&graph, device, base, backing = arguments.value("backing-file", "")] {
        Node& target = graph.get(device);
        const Node* lower = graph.find(base);
        const std::string below = lower ? graph.path_of(*lower) : "";
        std::vector<std::string> rebase{"rebase", "-f", target.driver, "-b", below};
        if (lower) rebase.insert(rebase.end(), {"-F", lower->driver});
        rebase.push_back(graph.path_of(target));
        qemu_img(rebase);
        if (lower && !backing.empty()) set_header_backing(graph, target, backing, lower->driver);
        target.backing = base;
        graph.collect();
    };
    machine.jobs.start(std::move(job));
    return nothing;
}

template <const char* const& verb>
Json job_verb(Machine& machine, const Json& arguments, Monitor&) {
    machine.jobs.verb(verb, arguments.at("id"));
    return nothing;
}

constexpr const char* cancel = "cancel";
constexpr const char* complete = "complete";
constexpr const char* dismiss = "dismiss";
constexpr const char* finalize = "finalize";

} // namespace

std::map<std::string, Command> job_commands() {
    return {{"snapshot-save",
             [](Machine& m, const Json& a, Monitor&) { return snapshot_job<save>(m, a, "snapshot-save"); }},
            {"snapshot-load",
             [](Machine& m, const Json& a, Monitor&) { return snapshot_job<load>(m, a, "snapshot-load"); }},
            {"snapshot-delete", [](Machine& m, const Json& a,
                                   Monitor&) { return snapshot_job<remove_states>(m, a, "snapshot-delete"); }},
            {"block-commit", block_commit},
            {"block-stream", block_stream},
            {"block-job-set-speed",
             [](Machine& machine, const Json& arguments, Monitor&) {
                 machine.jobs.set_speed(arguments.at("device"), arguments.at("speed"));
                 return nothing;
             }},
            {"query-jobs", [](Machine& machine, const Json&, Monitor&) { return machine.jobs.describe(); }},
            {"query-block-jobs",
             [](Machine& machine, const Json&, Monitor&) { return machine.jobs.describe_block_jobs(); }},
            {"job-cancel", job_verb<cancel>},
            {"job-complete", job_verb<complete>},
            {"job-dismiss", job_verb<dismiss>},
            {"job-finalize", job_verb<finalize>}};
}

} // namespace fake
