//! What is wrong about who callers are is told with its place: in the configuration, and in the table by its line, without
//! what stands there.

const HOUSE: &str = r#"
agents: { anna: { uri: "sip:anna@10.0.0.1", queues: [desk] } }
queues: { desk: {} }
lines: { main: { numbers: ["100"], flow: hello } }
backends: { crm: { url: "http://127.0.0.1:1/" } }
flows:
  - { flow: hello, language: en, person: { queue: desk }, start: desk, steps: { desk: { transfer: desk } } }
people: PEOPLE
"#;

fn told(people: &str, table: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(folder.path().join("people.csv"), table).unwrap();
    std::fs::write(&path, HOUSE.replace("PEOPLE", people)).unwrap();
    frontdesk::config::load(&path).map_or_else(|problems| problems.to_string(), |_| String::new())
}

#[test]
fn every_mistake_has_its_place() {
    let table = "phone,name,points\n+4930123,Ada,5\n";
    assert_eq!(told("{ file: people.csv, key: phone, priority: points }", table), "");
    assert_eq!(told("{ backend: crm, save: { name: /name }, timeout_ms: 500 }", table), "");
    let columns = "{ file: people.csv, key: phone }";
    let missed: Vec<String> = [
        ("{}", table, "config.yaml:8:9: people come from nowhere (expected `file` or `backend`)"),
        ("{ file: people.csv, backend: crm }", table, "config.yaml:8:9: people come from one place"),
        ("{ file: nobody.csv }", table, "config.yaml:8:17: "),
        ("{ file: people.csv }", table, "has no column `number` (expected one of its first line); there is `phone`, `name`, `points`"),
        ("{ file: people.csv, key: phone, save: { who: nam } }", table, "has no column `nam` (expected one of its first line); did you mean `name`?"),
        ("{ file: people.csv, key: phone, save: { line: name } }", table, "config.yaml:8:49: \"line\" cannot be the name of what is known of a caller"),
        ("{ file: people.csv, key: phone, priority: point }", table, "config.yaml:8:51: nothing is known as `point` (expected the name of a value that is kept); did you mean `points`?"),
        ("{ file: people.csv, key: phone, timeout_ms: 100 }", table, "config.yaml:8:41: a table is not waited for"),
        ("{ file: people.csv, key: phone, country_code: \"0044x\" }", table, "config.yaml:8:55: this is no country's calling code"),
        ("{ backend: cmr, save: { name: /name } }", table, "config.yaml:8:20: there is no backend `cmr` (expected the name of a backend); did you mean `crm`?"),
        ("{ backend: crm, save: { name: name } }", table, "config.yaml:8:39: \"name\" is no place in a reply (expected a JSON pointer, such as `/name`); write `/name`"),
        ("{ backend: crm }", table, "config.yaml:8:11: nothing is kept of the reply"),
        (columns, "phone,first name\n1,Ada\n", "people.csv:1:1: \"first name\" cannot be the name"),
        (columns, "phone,name\n+4930123,Ada\n004930123,Ben\n", "people.csv:3:1: this number stands in an earlier line (expected each once)"),
        (columns, "phone,name\n,Ada\n", "people.csv:2:1: this line has no telephone number"),
        (columns, "phone,name\n1,Ada,Ben\n", "people.csv:2:1: this line is no row of the table (expected 2 columns, in UTF-8)"),
        ("{ file: people.csv, key: phone, priority: name }", "phone,name\n1,Ada\n", "people.csv:2:1: this priority is none (expected a whole number from -100 to 100)"),
    ]
    .into_iter()
    .filter_map(|(people, table, expected)| {
        let told = told(people, table);
        let fits = told.contains(expected) && !told.contains("Ada") && !told.contains("Ben");
        (!fits).then(|| format!("{expected} is not in\n{told}"))
    })
    .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_changed_table_is_a_changed_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let table = folder.path().join("people.csv");
    std::fs::write(&path, HOUSE.replace("PEOPLE", "{ file: people.csv }")).unwrap();
    std::fs::write(&table, "\u{feff}number,name\n+4930123,Ada\n").unwrap();
    let config = frontdesk::config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.files.contains(&table), "watched: {:?}", config.files);
    assert_eq!(config.people.unwrap().in_table("004930123")["name"], "Ada");
}
