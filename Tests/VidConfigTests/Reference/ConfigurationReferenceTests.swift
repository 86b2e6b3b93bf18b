import Foundation
import Testing
import VidConfig
import VidSystem

@Suite("Schema and reference")
struct ConfigurationReferenceTests {
    @Test("Configs/schema.json is what the tables say")
    func schema() throws {
        let text = ConfigurationSchema.json.text(pretty: true, width: 140) + "\n"
        if ProjectFiles.isUpdating { try ProjectFiles.write(text, to: "Configs/schema.json") }
        #expect(try ProjectFiles.text("Configs/schema.json") == text, "Configs/schema.json is \(ProjectFiles.howToUpdate)")
    }

    @Test("The page of the documentation is what the tables say, and has every row of the whole table once")
    func article() throws {
        let path = "Sources/vidclass/Documentation.docc/ConfigurationReference.md"
        let text = ConfigurationArticle.markdown
        if ProjectFiles.isUpdating { try ProjectFiles.write(text, to: path) }
        #expect(try ProjectFiles.text(path) == text, "\(path) is \(ProjectFiles.howToUpdate)")
        let heading = ConfigurationReference.markdown.split(separator: "\n").prefix(2)
        let rows = ConfigurationReference.sections.flatMap { $0.markdown.split(separator: "\n").dropFirst(2) }
        #expect((heading + rows).joined(separator: "\n") == ConfigurationReference.markdown)
        #expect(Set(ConfigurationReference.sections.map(\.key)).count == ConfigurationReference.sections.count)
    }

    @Test("Every default of the schema is the struct's")
    func defaults() {
        let resolved = RunConfiguration().json
        var seen = 0
        func visit(_ schema: JSONNode, _ value: JSONNode, _ path: String) {
            for property in schema["properties"]?.objectMembers ?? [] {
                guard let held = value[property.key] else { continue }
                if let stated = property.value["default"] {
                    #expect(stated == held, "\(path).\(property.key)")
                    seen += 1
                }
                visit(property.value, held, path + "." + property.key)
                // Unions: the form whose word the value has.
                for form in property.value["anyOf"]?.arrayElements ?? [] where form["properties"]?["type"]?["const"] == held["type"] {
                    visit(form, held, path + "." + property.key)
                }
            }
        }
        visit(ConfigurationSchema.json, resolved, "")
        // The leaves and arrays of the resolved default, `optimizer.type` aside, which stands as a constant.
        #expect(seen == 82)
    }

    @Test("The reference names every key of the resolved configuration and no other key of its sections")
    func keyPaths() {
        var paths: [String] = []
        func visit(_ node: JSONNode, _ path: String) {
            for member in node.objectMembers ?? [] {
                let inner = path.isEmpty ? member.key : path + "." + member.key
                if member.value.objectMembers == nil { paths.append(inner) }
                visit(member.value, inner)
            }
        }
        visit(RunConfiguration().json, "")
        let reference = ConfigurationReference.keyPaths
        #expect(Set(paths).subtracting(reference) == [])
        let others = reference.filter { !paths.contains($0) && !$0.contains(".N.") }
        #expect(
            others == [
                "model.input.features", "model.input.standardize", "model.cnn", "optimizer.momentum", "optimizer.nesterov", "optimizer.rho",
                "data.sampling.stride", "data.sampling.fps",
                "training.learning_rate_schedule.alpha", "training.learning_rate_schedule.step_epochs",
                "training.learning_rate_schedule.factor",
            ])
        #expect(Set(reference).count == reference.count)
    }
}
