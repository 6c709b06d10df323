/** What 1C does: signs in with its password, sends a file in parts, asks for it to be taken in. */

const fact = (name, value) =>
  `<ЗначениеРеквизита><Наименование>${name}</Наименование><Значение>${value}</Значение></ЗначениеРеквизита>`;

/** An order as CommerceML has it. */
export function order(number, amount, { status, cancelled = false, paid, shipped, customer = 'Петров Пётр' }) {
  const facts = [
    status && fact('Статус заказа', status),
    cancelled && fact('Отменен', 'true'),
    paid && fact('Дата оплаты по 1С', paid),
    shipped && fact('Дата отгрузки по 1С', shipped),
  ];
  return `<Документ><Ид>order-${number}</Ид><Номер>${number}</Номер><Дата>2026-11-20</Дата><Время>10:00:00</Время>
    <ХозОперация>Заказ товара</ХозОперация><Валюта>RUB</Валюта><Сумма>${amount}</Сумма>
    <Комментарий>Позвонить до шести</Комментарий>
    <Контрагенты><Контрагент><Ид>p-${customer}</Ид><Наименование>${customer}</Наименование><Фамилия>${customer}</Фамилия></Контрагент></Контрагенты>
    <Товары>
      <Товар><Ид>1</Ид><Наименование>Чайник «Восток»</Наименование><Артикул>Ч-7</Артикул><БазоваяЕдиница>шт</БазоваяЕдиница><Количество>3</Количество><ЦенаЗаЕдиницу>7000</ЦенаЗаЕдиницу><Сумма>21000</Сумма></Товар>
      <Товар><Ид>ORDER_DELIVERY</Ид><Наименование>Доставка</Наименование><Количество>1</Количество><Сумма>2000,50</Сумма></Товар>
    </Товары><ЗначенияРеквизитов>${facts.filter(Boolean).join('')}</ЗначенияРеквизитов></Документ>`;
}

/** A 1C that has signed in at an address. */
export async function oneC(url, password) {
  const authorization = 'Basic ' + Buffer.from(`1c:${password}`).toString('base64');
  const ask = async (query, headers, body) => {
    const answer = await fetch(`${url}?type=sale&${query}`, { method: body ? 'POST' : 'GET', headers, body });
    return new TextDecoder('windows-1251').decode(await answer.arrayBuffer());
  };
  const signIn = async () => {
    const [word, name, value] = (await ask('mode=checkauth', { authorization })).split('\n');
    if (word !== 'success') throw new Error(`1C was not let in: ${word}`);
    return { cookie: `${name}=${value}` };
  };
  let headers = await signIn();
  return {
    /** A whole exchange of one file; answers what 1C would show. */
    async exchange(name, inside) {
      headers = await signIn();
      const text = `<?xml version="1.0" encoding="UTF-8"?><КоммерческаяИнформация ВерсияСхемы="2.08">${inside}</КоммерческаяИнформация>`;
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += 1_000)
        await ask(`mode=file&filename=${name}`, headers, bytes.subarray(at, at + 1_000));
      for (;;) {
        const said = await ask(`mode=import&filename=${name}`, headers);
        if (!said.startsWith('progress')) return said;
      }
    },
  };
}
