#!/usr/bin/env python3
"""Writes the CNAB vectors beside it, from layouts that are not ours.

    npm pack @banco-br/cnab_yaml@2.1.0 && tar xzf banco-br-cnab_yaml-2.1.0.tgz
    pip install pyyaml && python3 make_cnab.py package

Every column comes from the package's YAML, so that a wrong column in the Rust code shows as a wrong value.
Where the package has nothing or is wrong, OWN says so, with the bank's manual as the source. Companies,
amounts and titles are invented. Nothing in the build or the tests runs this.
"""
import sys, os, yaml

ROOT, HERE = sys.argv[1], os.path.dirname(os.path.abspath(__file__))

def layout(*paths):
    """The fields of these files; a later file's replace the earlier ones that they overlap."""
    fields = {}
    for path in paths:
        full = os.path.join(ROOT, path)
        if not os.path.exists(full):
            continue
        own = {k: (v['pos'], v.get('picture', 'X')) for k, v in (yaml.safe_load(open(full, encoding='utf-8')) or {}).items()}
        for name, ((a, b), _) in own.items():
            for other, ((c, d), _) in list(fields.items()):
                if name == other or (a <= d and c <= b):
                    del fields[other]
        fields.update(own)
    return fields

def record(width, fields, values):
    line = [' '] * width
    values = dict(values)
    for name, ((a, b), picture) in fields.items():
        if picture.startswith('9'):
            line[a - 1:b] = '0' * (b - a + 1)
    for name, value in values.items():
        assert name in fields, f'{name} is not in the layout: {sorted(fields)}'
        (a, b), picture = fields[name]
        size = b - a + 1
        text = str(value)
        text = text.rjust(size, '0') if picture.startswith('9') and text.isdigit() else text.ljust(size)
        assert len(text) == size, (name, text, size)
        line[a - 1:b] = text
    return ''.join(line)

def write(name, lines):
    with open(os.path.join(HERE, name), 'w', encoding='latin-1', newline='') as file:
        file.write('\r\n'.join(lines) + '\r\n')

NAMES = {'001': 'BANCO DO BRASIL', '033': 'SANTANDER', '104': 'CAIXA', '237': 'BRADESCO', '341': 'ITAU', '748': 'SICREDI'}

# The titles of every file: what is expected of them is in cnab.rs beside this folder. Amounts in centavos.
# number, title, code, face, discount, interest, paid, fee
TITLES = [
    ('2026000123', '00000011', 'PAID', 119227, 0, 0, 119227, 190),
    ('2026000124', '00000012', 'PAID', 101400, 0, 2534, 103934, 190),   # paid late
    ('2026000125', '00000013', 'PAID', 50700, 700, 0, 50000, 190),      # with a discount
    ('2026000126', '00000014', 'ENTRY', 50700, 0, 0, 0, 0),
    ('2026000127', '00000015', 'BACK', 50700, 0, 0, 0, 0),
]

# ---- CNAB 240 ------------------------------------------------------------------------------------------
def cnab240(bank):
    # 104 has its layouts in a folder of its convenant; 237, 341 and 748 take FEBRABAN's for what they lack.
    folder = {'104': 'cnab240/104'}.get(bank, f'cnab240/{bank}')
    get = lambda kind: layout(f'cnab240/generic/{kind}', f'{folder}/{kind}')
    t, u = get('retorno/detalhe_segmento_t.yml'), get('retorno/detalhe_segmento_u.yml')
    file_header = layout('cnab240/generic/header_arquivo.yml')
    batch_header = layout('cnab240/generic/header_lote.yml')
    batch_end = layout('cnab240/generic/trailer_lote.yml')
    file_end = layout('cnab240/generic/trailer_arquivo.yml')
    codes = {'PAID': '06', 'ENTRY': '02', 'BACK': '09'}
    lines = [record(240, file_header, {'codigo_banco': bank, 'codigo_remessa_retorno': 2, 'nome_empresa': 'REVENDA DE MENSAGENS LTDA', 'nome_banco': NAMES[bank], 'data_geracao': '11112026'})]
    lines.append(record(240, batch_header, {'codigo_banco': bank, 'lote_servico': 1, 'tipo_registro': 1, 'tipo_operacao': 'T', 'tipo_servico': '01'}))
    sequence = 0
    for number, title, code, face, discount, interest, paid, fee in TITLES:
        credited = paid - fee if code == 'PAID' else 0
        # Itaú's manual: both cells are what came to the account.
        in_paid = credited if bank == '341' else paid
        sequence += 1
        lines.append(record(240, t, {'codigo_banco': bank, 'lote_servico': 1, 'tipo_registro': 3, 'numero_sequencial_lote': sequence, 'codigo_segmento': 'T', 'codigo_movimento': codes[code], 'nosso_numero': title[-5:] if bank == '748' else title, 'numero_documento': number, 'valor_titulo': face, 'tipo_inscricao': 2, 'numero_inscricao': '11222333000181', 'nome_sacado': 'AUTO CENTER SÃO JOÃO LTDA', 'valor_tarifa': fee}))
        sequence += 1
        values = {'codigo_banco': bank, 'lote_servico': 1, 'tipo_registro': 3, 'numero_sequencial_registro': sequence, 'codigo_segmento': 'U', 'codigo_movimento': codes[code], 'valor_acrescimos': interest, 'valor_desconto': discount, 'valor_pago': in_paid, 'valor_liquido': credited, 'data_ocorrencia': '10112026', 'data_credito': '11112026'}
        lines.append(record(240, u, values))
    lines.append(record(240, batch_end, {'codigo_banco': bank, 'lote_servico': 1, 'tipo_registro': 5, 'qtde_registro_lote': len(TITLES) * 2 + 2}))
    lines.append(record(240, file_end, {'codigo_banco': bank, 'lote_servico': 9999, 'tipo_registro': 9, 'qtde_lotes': 1, 'qtde_registros': len(TITLES) * 2 + 4}))
    write(f'cnab240-{bank}.ret', lines)

# ---- CNAB 400 ------------------------------------------------------------------------------------------
# What the package has wrong or not at all, by the banks' manuals.
OWN = {
    # Its pictures overlap (valor_titulo, codigo_erro); valor_recebido is missing. Santander, H7800, page 14.
    '033': {'data_vencimento': ([147, 152], '9'), 'valor_principal': ([254, 266], '9'), 'valor_juros': ([267, 279], '9')},
    # Bradesco, CNAB 400: the trailer's "quantidade de registros, ocorrência 06".
    '237': {},
    # No layout of 748 at all. Sicredi, manual CNAB 400 of August 2019, section 10.2.
    '748': {'tipo_de_registro': ([1, 1], '9'), 'nosso_numero': ([48, 62], 'X'), 'codigo_de_ocorrencia': ([109, 110], '9'), 'data_de_ocorrencia': ([111, 116], '9'), 'numero_do_documento': ([117, 126], 'X'), 'data_vencimento': ([147, 152], '9'), 'valor_do_titulo': ([153, 165], '9'), 'valor_tarifa': ([176, 188], '9'), 'valor_abatimento': ([228, 240], '9'), 'valor_desconto': ([241, 253], '9'), 'valor_principal': ([254, 266], '9'), 'valor_mora_multa': ([267, 279], '9'), 'valor_multa': ([280, 292], '9'), 'numero_sequencial': ([395, 400], '9')},
}
CODES_400 = {'104': {'PAID': '21', 'ENTRY': '01', 'BACK': '02'}}

def cnab400(bank):
    d = layout('cnab400/generic/retorno/detalhe.yml', f'cnab400/{bank}/retorno/detalhe.yml') if bank != '748' else {}
    for name, (pos, picture) in OWN.get(bank, {}).items():
        for other, ((c, e), _) in list(d.items()):
            if pos[0] <= e and c <= pos[1]:
                del d[other]
        d[name] = (pos, picture)
    header = layout('cnab400/generic/retorno/header_arquivo.yml')
    header['numero_sequencial'] = ([395, 400], '9')
    end = layout('cnab400/generic/retorno/trailer_arquivo.yml', f'cnab400/{bank}/retorno/trailer_arquivo.yml')
    pick = lambda *names: next(name for name in names if name in d)
    codes = CODES_400.get(bank, {'PAID': '06', 'ENTRY': '02', 'BACK': '09'})
    lines = [record(400, header, {'tipo_de_registro': 0, 'codigo_de_retorno': 2, 'literal_de_retorno': 'RETORNO', 'retorno_codigo_do_servico': '01', 'literal_de_servico': 'COBRANCA', 'nome_da_empresa': 'REVENDA DE MENSAGENS LTDA', 'codigo_do_banco': bank, 'nome_do_banco': NAMES[bank], 'data_de_geracao': '111126', 'numero_sequencial': 1})]
    for number, title, code, face, discount, interest, paid, fee in TITLES:
        values = {
            pick('tipo_de_registro', 'codigo_registro'): 7 if bank == '001' else 1,
            'nosso_numero': title,
            pick('codigo_de_ocorrencia', 'codigo_ocorrencia', 'comando_movimento'): codes[code],
            pick('data_de_ocorrencia', 'data_ocorrencia'): '101126',
            pick('numero_do_documento', 'seu_numero'): number,
            pick('valor_do_titulo', 'valor_titulo'): face,
            pick('valor_tarifa'): fee,
            pick('valor_desconto', 'desconto_concedido'): discount,
            'numero_sequencial': len(lines) + 1,
        }
        principal = {'341': paid - fee if code == 'PAID' else 0, '104': paid - interest}.get(bank, paid)
        values['valor_principal'] = principal
        if bank == '104':
            # Caixa parts interest and fine; both are "interest" of ours.
            values['valor_juros'], values['valor_multa'] = interest - interest // 2, interest // 2
        elif bank == '748':
            values['valor_mora_multa'], values['valor_multa'] = interest - interest // 2, interest // 2
        else:
            values[pick('valor_mora_multa', 'valor_juros', 'juros_mora')] = interest
        lines.append(record(400, d, values))
    last = {'tipo_de_registro': 9, 'codigo_de_retorno': 2, 'codigo_de_servico': '01', 'codigo_do_banco': bank, 'numero_sequencial': len(lines) + 1}
    if bank == '341':
        last.update({'qtde_de_detalhes': len(TITLES), 'vlr_total_informado': sum(t[3] for t in TITLES)})
    if bank == '237':
        end = {k: v for k, v in end.items() if k != 'brancos01'}
        end['quantidade_06'] = ([87, 91], '9')
        last['quantidade_06'] = sum(t[2] == 'PAID' for t in TITLES)
    lines.append(record(400, end, last))
    write(f'cnab400-{bank}.ret', lines)

for bank in NAMES:
    cnab240(bank)
    cnab400(bank)
