#include "schema.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace fake {

namespace {

std::string member_path(const std::string& where, const std::string& name) {
    return where.empty() ? name : where + "." + name;
}

std::string json_type_of(const Json& value) {
    switch (value.type()) {
    case Json::value_t::object:
        return "object";
    case Json::value_t::array:
        return "array";
    case Json::value_t::string:
        return "string";
    case Json::value_t::boolean:
        return "boolean";
    case Json::value_t::null:
        return "null";
    default:
        return value.is_number_integer() ? "int" : "number";
    }
}

[[noreturn]] void wrong_type(const std::string& where, const std::string& expected) {
    throw Refusal("Invalid parameter type for '" + where + "', expected: " + expected);
}

void check_builtin(const Json& type, const Json& value, const std::string& where) {
    const std::string expected = type.at("json-type"), actual = json_type_of(value);
    if (expected == "value" || expected == actual || (expected == "number" && actual == "int")) return;
    wrong_type(where, expected == "int" ? "integer" : expected);
}

void check_enum(const Json& type, const Json& value, const std::string& where) {
    if (!value.is_string()) wrong_type(where, "string");
    const Json& values = type.at("values");
    if (std::find(values.begin(), values.end(), value) == values.end())
        throw Refusal("Parameter '" + where + "' does not accept value '" + value.get<std::string>() + "'");
}

} // namespace

Schema Schema::load(const std::string& version) {
    const char* folder = std::getenv("FAKE_QEMU_SCHEMA_DIR");
    const std::string path =
        std::string(folder ? folder : FAKE_QEMU_SCHEMA_DIR) + "/schema-" + version + ".json";
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    Schema schema;
    schema.recorded_ = Json::parse(file);
    return schema;
}

Json Schema::commands() const {
    Json list = Json::array();
    for (const auto& [name, type] : recorded_.at("commands").items())
        list.push_back({{"name", name}});
    return list;
}

Json Schema::describe() const {
    Json list = Json::array();
    for (const auto& [name, type] : recorded_.at("commands").items())
        list.push_back({{"name", name}, {"meta-type", "command"}, {"arg-type", type}, {"ret-type", "0"}});
    for (const auto& [name, type] : recorded_.at("types").items()) {
        list.push_back(type);
        list.back()["name"] = name;
    }
    return list;
}

void Schema::check(const std::string& command, const Json& arguments) const {
    if (!has(command)) throw Refusal("The command " + command + " has not been found", "CommandNotFound");
    check_value(recorded_["commands"][command], arguments, "");
}

void Schema::check_value(const std::string& type_name, const Json& value, const std::string& where) const {
    const Json& type = recorded_.at("types").at(type_name);
    const std::string kind = type.at("meta-type");
    if (kind == "object") return check_object(type, value, where);
    if (kind == "enum") return check_enum(type, value, where);
    if (kind == "alternate") return check_alternate(type, value, where);
    if (kind == "builtin") return check_builtin(type, value, where);
    if (!value.is_array()) wrong_type(where, "array");
    for (size_t i = 0; i < value.size(); ++i)
        check_value(type.at("element-type"), value[i], where + "[" + std::to_string(i) + "]");
}

/// Its own members and those of the variant that the value's tag chooses.
Json Schema::members_of(const Json& type, const Json& value, const std::string& where) const {
    Json members = type.at("members");
    if (!type.contains("tag")) return members;
    const std::string tag = type["tag"];
    if (!value.contains(tag)) throw Refusal("Parameter '" + member_path(where, tag) + "' is missing");
    for (const Json& variant : type.at("variants"))
        if (variant.at("case") == value[tag])
            for (const Json& member : recorded_["types"].at(variant.at("type")).at("members"))
                members.push_back(member);
    return members;
}

void Schema::check_object(const Json& type, const Json& value, const std::string& where) const {
    if (!value.is_object()) wrong_type(where, "object");
    Json unknown = value;
    for (const Json& member : members_of(type, value, where)) {
        const std::string name = member.at("name");
        if (value.contains(name))
            check_value(member.at("type"), value[name], member_path(where, name));
        else if (!member.contains("default"))
            throw Refusal("Parameter '" + member_path(where, name) + "' is missing");
        unknown.erase(name);
    }
    if (!unknown.empty())
        throw Refusal("Parameter '" + member_path(where, unknown.begin().key()) + "' is unexpected");
}

/// The one alternative whose JSON type the value has.
void Schema::check_alternate(const Json& type, const Json& value, const std::string& where) const {
    const std::string actual = json_type_of(value);
    for (const Json& member : type.at("members")) {
        const Json& alternative = recorded_["types"].at(member.at("type").get_ref<const std::string&>());
        const std::string kind = alternative.at("meta-type");
        const std::string takes = kind == "builtin" ? alternative.at("json-type").get<std::string>()
                                  : kind == "enum"  ? "string"
                                                    : kind;
        if (takes == actual) return check_value(member.at("type"), value, where);
    }
    wrong_type(where, "another");
}

} // namespace fake
