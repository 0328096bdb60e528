//! Writing of ONNX files: as much of the protobuf format (`onnx.proto`, field numbers below are its) as a graph
//! of a few dozen operators needs. Values are named by numbers, so that the same graph gives the same bytes.

pub enum Attribute<'a> {
    Int(i64),
    Ints(&'a [i64]),
    Float(f32),
    Text(&'a str),
}

/// A value in the graph.
#[derive(Clone, Debug)]
pub struct Value(String);

/// Element types (`TensorProto.DataType`).
pub const F32: u64 = 1;
pub const I32: u64 = 6;
const I8: u64 = 3;
const I64: u64 = 7;

#[derive(Default)]
pub struct Graph {
    nodes: Vec<u8>,
    constants: Vec<u8>,
    inputs: Vec<u8>,
    outputs: Vec<u8>,
    count: usize,
}

impl Graph {
    /// A graph input; a dimension of 0 is free.
    pub fn input(&mut self, name: &str, element: u64, shape: &[usize]) -> Value {
        bytes(&mut self.inputs, 11, &value_info(name, element, shape));
        Value(name.into())
    }

    /// Names a value as a graph output.
    pub fn output(&mut self, name: &str, value: &Value, shape: &[usize]) {
        self.node("Identity", &[value], name.into(), &[]);
        bytes(&mut self.outputs, 12, &value_info(name, F32, shape));
    }

    /// The result of an operator.
    pub fn op(&mut self, op: &str, inputs: &[&Value], attributes: &[(&str, Attribute)]) -> Value {
        let name = self.name();
        self.node(op, inputs, name.clone(), attributes);
        Value(name)
    }

    pub fn floats(&mut self, shape: &[usize], values: &[f32]) -> Value {
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant(F32, shape, &data)
    }

    pub fn ints(&mut self, values: &[i64]) -> Value {
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant(I64, &[values.len()], &data)
    }

    /// Floats kept as int8: value = scale * byte.
    pub fn scaled_bytes(&mut self, shape: &[usize], values: &[i8], scale: f32) -> Value {
        let data: Vec<u8> = values.iter().map(|&v| v as u8).collect();
        let values = self.constant(I8, shape, &data);
        let scale = self.floats(&[], &[scale]);
        self.op("DequantizeLinear", &[&values, &scale], &[])
    }

    /// The file. `notes` are kept as metadata.
    pub fn file(self, name: &str, notes: &[(&str, &str)]) -> Vec<u8> {
        let mut graph = self.nodes;
        bytes(&mut graph, 2, name.as_bytes());
        graph.extend(self.constants);
        graph.extend(self.inputs);
        graph.extend(self.outputs);
        let mut model = Vec::with_capacity(graph.len() + 256);
        number(&mut model, 1, 8); // IR version
        bytes(&mut model, 2, b"frontdesk");
        bytes(&mut model, 7, &graph);
        let mut opset = Vec::new();
        number(&mut opset, 2, 17);
        bytes(&mut model, 8, &opset);
        for (key, value) in notes {
            let mut entry = Vec::new();
            bytes(&mut entry, 1, key.as_bytes());
            bytes(&mut entry, 2, value.as_bytes());
            bytes(&mut model, 14, &entry);
        }
        model
    }

    fn name(&mut self) -> String {
        self.count += 1;
        self.count.to_string()
    }

    fn node(&mut self, op: &str, inputs: &[&Value], output: String, attributes: &[(&str, Attribute)]) {
        let mut node = Vec::new();
        for input in inputs {
            bytes(&mut node, 1, input.0.as_bytes());
        }
        bytes(&mut node, 2, output.as_bytes());
        bytes(&mut node, 4, op.as_bytes());
        for (name, attribute) in attributes {
            let mut out = Vec::new();
            bytes(&mut out, 1, name.as_bytes());
            let kind = match attribute {
                Attribute::Float(value) => {
                    varint(&mut out, 2 << 3 | 5);
                    out.extend(value.to_le_bytes());
                    1
                }
                Attribute::Int(value) => {
                    number(&mut out, 3, *value as u64);
                    2
                }
                Attribute::Text(value) => {
                    bytes(&mut out, 4, value.as_bytes());
                    3
                }
                Attribute::Ints(values) => {
                    values.iter().for_each(|&value| number(&mut out, 8, value as u64));
                    7
                }
            };
            number(&mut out, 20, kind);
            bytes(&mut node, 5, &out);
        }
        bytes(&mut self.nodes, 1, &node);
    }

    fn constant(&mut self, element: u64, shape: &[usize], data: &[u8]) -> Value {
        let name = self.name();
        let mut tensor = Vec::with_capacity(data.len() + 64);
        shape.iter().for_each(|&n| number(&mut tensor, 1, n as u64));
        number(&mut tensor, 2, element);
        bytes(&mut tensor, 8, name.as_bytes());
        bytes(&mut tensor, 9, data);
        bytes(&mut self.constants, 5, &tensor);
        Value(name)
    }
}

fn value_info(name: &str, element: u64, shape: &[usize]) -> Vec<u8> {
    let mut dims = Vec::new();
    for (n, &size) in shape.iter().enumerate() {
        let mut dim = Vec::new();
        match size {
            0 => bytes(&mut dim, 2, format!("{name}_{n}").as_bytes()),
            size => number(&mut dim, 1, size as u64),
        }
        bytes(&mut dims, 1, &dim);
    }
    let (mut tensor, mut kind, mut info) = (Vec::new(), Vec::new(), Vec::new());
    number(&mut tensor, 1, element);
    bytes(&mut tensor, 2, &dims);
    bytes(&mut kind, 1, &tensor);
    bytes(&mut info, 1, name.as_bytes());
    bytes(&mut info, 2, &kind);
    info
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rten_tensor::NdTensor;
    use rten_tensor::prelude::*;

    #[test]
    fn what_is_written_can_be_loaded_and_run() {
        let mut g = Graph::default();
        let x = g.input("x", F32, &[1, 0]);
        let weights = g.scaled_bytes(&[2, 1], &[2, -4], 0.5);
        let sum = g.op("MatMul", &[&x, &weights], &[]);
        let bent = g.op("LeakyRelu", &[&sum], &[("alpha", Attribute::Float(0.25))]);
        g.output("y", &bent, &[1, 1]);
        let file = g.file("test", &[("terms", "none")]);
        let model = rten::Model::load(file).unwrap();
        for (input, expected) in [([3.0, 1.0], 1.0f32), ([1.0, 3.0], -1.25)] {
            let input = NdTensor::from_data([1, 2], input.to_vec());
            let found: NdTensor<f32, 2> = model.run_one(input.view().into(), None).unwrap().try_into().unwrap();
            assert_eq!(found.to_vec(), [expected]);
        }
    }
}
